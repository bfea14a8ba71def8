import { describe, expect, test } from 'vitest';
import { type PageProcess, RunReport, type StartPage } from '../../src/app/run-report.js';

/** Starts processes that end when the test says so. */
class Starts {
  readonly all: { last: boolean; end: (failure?: string) => void }[] = [];
  running = 0;
  readonly hurried: number[] = [];
  readonly left: number[] = [];

  readonly start: StartPage = (_page, last): PageProcess => {
    this.running += 1;
    const index = this.all.length;
    let end: (failure?: string) => void = () => {};
    const ended = new Promise<string | undefined>((resolve) => {
      end = (failure) => {
        this.running -= 1;
        resolve(failure);
      };
    });
    this.all.push({ last, end });
    return { ended, hurry: () => this.hurried.push(index), leave: () => this.left.push(index) };
  };

  async until(count: number): Promise<void> {
    for (const deadline = Date.now() + 60_000; this.all.length < count; ) {
      if (Date.now() > deadline) throw new Error(`${this.all.length} of ${count} were started`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

const PAGE = { root: '/root', task_id: 'web', directory: '/pages' };

/** With a clock that is already past the first second, so that no test waits. */
function report(starts: Starts, clock = { ms: 0 }): RunReport {
  const report = new RunReport(PAGE, starts.start, () => clock.ms);
  clock.ms += 1000;
  return report;
}

describe('the page of a task that runs', () => {
  test('is written after a change, by one process at a time, however many changes come', async () => {
    const starts = new Starts();
    const page = report(starts);
    for (let i = 0; i < 100; i++) page.changed();
    await starts.until(1);
    for (let i = 0; i < 100; i++) page.changed();
    expect([starts.all.length, starts.running]).toEqual([1, 1]);
    starts.all[0]?.end();
    await starts.until(2);
    expect(starts.all.map(({ last }) => last)).toEqual([false, false]);
    starts.all[1]?.end();
    const ended = page.end();
    await starts.until(3);
    expect([starts.all[2]?.last, starts.running]).toEqual([true, 1]);
    starts.all[2]?.end();
    expect(await ended).toEqual([]);
  });

  test('takes no more than a small part of the time', async () => {
    const starts = new Starts();
    const clock = { ms: 0 };
    const page = report(starts, clock);
    page.changed();
    await starts.until(1);
    clock.ms += 500;
    starts.all[0]?.end();
    await new Promise((resolve) => setImmediate(resolve));
    // By the clock it is due after 5 s: a timer for it would keep this test for so long.
    clock.ms += 5000;
    page.changed();
    await starts.until(2);
    clock.ms += 500;
    starts.all[1]?.end();
    await new Promise((resolve) => setImmediate(resolve));
    clock.ms += 1000;
    page.changed();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(starts.all).toHaveLength(2);
    page.close();
  });

  test('is not written in the first second, only at the end of a short task', async () => {
    const starts = new Starts();
    const page = new RunReport(PAGE, starts.start, () => 0);
    page.changed();
    const ended = page.end();
    await starts.until(1);
    expect(starts.all.map(({ last }) => last)).toEqual([true]);
    starts.all[0]?.end();
    expect(await ended).toEqual([]);
  });

  test('the last page waits for the one that is being written', async () => {
    const starts = new Starts();
    const page = report(starts);
    page.changed();
    await starts.until(1);
    const ended = page.end();
    await new Promise((resolve) => setImmediate(resolve));
    expect(starts.all).toHaveLength(1);
    expect(starts.hurried).toEqual([0]);
    starts.all[0]?.end();
    await starts.until(2);
    starts.all[1]?.end();
    await ended;
  });

  test('what went wrong is told once, at the end, unless it was written then', async () => {
    const starts = new Starts();
    const failed = report(starts);
    const ended = failed.end();
    await starts.until(1);
    starts.all[0]?.end('cannot write /pages: no space left on device');
    expect(await ended).toEqual([
      {
        code: 'report-unwritable',
        severity: 'warning',
        message: 'the page of web is not written in /pages: cannot write /pages: no space left on device',
        path: '/pages',
        task_id: 'web',
      },
    ]);
    const repaired = report(starts);
    repaired.changed();
    await starts.until(2);
    starts.all[1]?.end('no space left on device');
    const over = repaired.end();
    await starts.until(3);
    starts.all[2]?.end();
    expect(await over).toEqual([]);
  });

  test('a last page that takes too long goes on by itself', async () => {
    const starts = new Starts();
    const page = new RunReport(PAGE, starts.start, () => 0, 1);
    const [problem] = await page.end();
    expect(problem?.message).toContain('it was not written in 0.001 s');
    expect(starts.left).toEqual([0]);
  });

  test('after close, nothing is started', async () => {
    const starts = new Starts();
    const page = report(starts);
    page.changed();
    page.close();
    page.changed();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(starts.all).toEqual([]);
  });
});
