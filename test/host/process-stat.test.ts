import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseBootTimeMs, parseProcessStat, parseProcessStatus } from '../../src/host/process-stat.js';

/** As the kernel writes it: pid, command in parentheses, state, parent, then numbers; field 22 is the start. */
function statLine(pid: number, command: string, state: string, parent: number, start: number): string {
  const between = '100 34816 4321 100 4194304 99 0 0 0 1 0 2 3 20 0 1 0';
  return `${pid} (${command}) ${state} ${parent} ${between} ${start} 3133440 360 18446744073709551615 1 1 0\n`;
}

describe('/proc/PID/stat', () => {
  test('a line of a real kernel', () => {
    const text =
      '12470 (cat) R 12450 12450 10598 0 -1 4194304 99 0 0 0 0 0 0 0 20 0 1 0 104749 3133440 360 18446744073709551615 93833687834624 93833687854505 140724289566048 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0 93833687870512 93833687872128 93833692397568 140724289571551 140724289571571 140724289571571 140724289571843 0\n';
    expect(parseProcessStat(text)).toEqual({
      pid: 12470,
      command: 'cat',
      state: 'R',
      parent: 12450,
      session: 10598,
      ownTicks: 0,
      childTicks: 0,
      threads: 1,
      startTimeTicks: 104749,
    });
  });

  test('whatever the command holds, the rest is read', () => {
    const command = fc.oneof(
      fc.string({ maxLength: 15 }),
      fc.constantFrom(') R 1 (', 'a) Z 1 2', '((', '))', '(sd-pam)', ' ', '\n', '1 (x) S'),
    );
    const any = fc.record({
      pid: fc.integer({ min: 1, max: 4194304 }),
      command,
      state: fc.constantFrom('R', 'S', 'D', 'T', 'Z', 'X', 'I'),
      parent: fc.integer({ min: 0, max: 4194304 }),
      startTimeTicks: fc.integer({ min: 0, max: 2 ** 50 }),
    });
    fc.assert(
      fc.property(any, (stat) => {
        const text = statLine(stat.pid, stat.command, stat.state, stat.parent, stat.startTimeTicks);
        const same = { session: 34816, ownTicks: 1, childTicks: 5, threads: 1 };
        expect(parseProcessStat(text)).toEqual({ ...stat, ...same });
      }),
    );
  });

  test('anything else is not a process', () => {
    fc.assert(fc.property(fc.string(), (text) => parseProcessStat(text.replaceAll(')', '')) === undefined));
    expect(parseProcessStat(statLine(1, 'x', 'S', 0, 5).slice(0, 40))).toBeUndefined();
  });
});

describe('/proc/PID/status', () => {
  const status = (lines: string) =>
    `Name:\tcat\nUmask:\t0022\nState:\tR (running)\n${lines}VmPeak:\t  3060 kB\n`;

  test('the real uid, and the pids from our namespace inwards', () => {
    expect(parseProcessStatus(status('Uid:\t33\t0\t0\t0\nNSpid:\t12466\t2\n'))).toEqual({
      uid: 33,
      nsPid: [12466, 2],
    });
  });

  test('an old kernel does not tell the pids', () => {
    expect(parseProcessStatus(status('Uid:\t0\t0\t0\t0\n'))).toEqual({ uid: 0, nsPid: [] });
  });

  test('what is none', () => {
    expect(parseProcessStatus('')).toBeUndefined();
    expect(parseProcessStatus('Name:\tUid:\t7\t\n')).toBeUndefined();
  });
});

test('the boot time is in milliseconds', () => {
  expect(parseBootTimeMs('cpu  1 2 3\nintr 0\nbtime 1795289537\nprocesses 3\n')).toBe(1_795_289_537_000);
  expect(parseBootTimeMs('cpu  1 2 3\n')).toBeUndefined();
});
