import { describe, expect, test } from 'vitest';
import type { OpenRun } from '../../src/app/one-process.js';
import { replaceRun } from '../../src/app/replace-run.js';
import type { ProcessStatus } from '../../src/checkpoint/records.js';
import type { ProcessRow } from '../../src/host/process-table.js';
import type { Reason } from '../../src/layout/reasons.js';
import { type FakeProcess, FakeProcesses } from '../lifecycle/fake-processes.js';

const RUN = { process: 'web', coordinator_pid: 100, fork_time: 1, pid: 101, start_time: 1 };

/** A run whose processes are made up: they obey signals at once, unless `onSignal` of the machine says otherwise. */
class MadeUpRun {
  readonly machine: FakeProcesses;
  readonly reasons: Reason[] = [];
  state: ProcessStatus['state'] = 'RUNNING';
  /** Called before each look. */
  onLook = () => {};
  /** A signal that may not be sent. */
  refuses: string | undefined;
  readonly #given = new Map<number, FakeProcess>();

  constructor(given: Readonly<Record<number, FakeProcess>> = {}) {
    const all = { 100: {}, 101: { parent: 100, session: 100 }, ...given };
    for (const [pid, process] of Object.entries(all)) this.#given.set(Number(pid), process);
    this.machine = new FakeProcesses(all);
  }

  /** Is stopped, or goes on. */
  set(pid: number, state: 'T' | 'S'): void {
    const given = { ...this.#given.get(pid), state };
    this.#given.set(pid, given);
    this.machine.add(pid, given);
  }

  obey(pid: number, signal: string): void {
    if (!this.machine.has(pid)) return;
    if (signal === 'SIGSTOP') this.set(pid, 'T');
    if (signal === 'SIGCONT') this.set(pid, 'S');
    if (signal === 'SIGTERM') this.machine.remove(pid);
  }

  get sent(): string[] {
    return this.machine.sent.map(([pid, signal]) => `${signal} ${pid}`);
  }

  replace(interrupted: () => number | undefined = () => undefined) {
    const { machine, reasons } = this;
    const byPid = () => new Map(machine.table().map((row) => [row.pid, row]));
    const isSame = (row: ProcessRow) => byPid().has(row.pid);
    const task: OpenRun['task'] = {
      uid: 1000,
      problems: [],
      latestRun: () => ({ ...RUN, state: this.state }),
      runner: () => ({ kind: 'none' }),
      processesOf: () => {
        this.onLook();
        const rows = byPid();
        const others = [...rows.values()].filter(({ pid }) => pid !== 100 && pid !== 101);
        return { coordinator: rows.get(100), command: rows.get(101), others, unsure: [] };
      },
      look: (row) => (isSame(row) ? machine.look(row.pid) : undefined),
      signal: (row, signal) => {
        const sent = machine.signal(row.pid, signal as NodeJS.Signals);
        if (this.refuses !== signal) this.obey(row.pid, String(signal));
        else
          return {
            code: 'signal-failed',
            severity: 'error',
            message: `process ${row.pid} cannot be sent ${signal}`,
          };
        return sent as 'sent' | 'gone';
      },
      keepReason: (reason) => reasons.push(reason),
      close: () => {},
    };
    const pause = async () => {
      machine.pause(100);
      return interrupted();
    };
    const ports = { pause, now: () => 5000, processes: machine };
    return replaceRun({ task, run: RUN, index: 3 }, { graceMs: 1000, by: 'root' }, ports);
  }
}

describe('a run is replaced', () => {
  test('its coordinator is held, it is asked, what it started too, and its coordinator is killed last', async () => {
    const run = new MadeUpRun({ 102: { parent: 101 }, 103: { parent: 101, state: 'T' } });
    expect(await run.replace()).toEqual({
      ended: 'terminated',
      signalled: [100, 101, 102, 103],
      problems: [],
    });
    expect(run.sent).toEqual([
      'SIGSTOP 100',
      'SIGTERM 101',
      'SIGCONT 103',
      'SIGTERM 102',
      'SIGTERM 103',
      'SIGKILL 100',
    ]);
    const by = { code: 'process-restarted', message: 'thermos restart', by: 'root' };
    expect(run.reasons).toEqual([{ time_ms: 5000, run: 3, ...by }]);
  });

  test('what does not obey is killed after its time', async () => {
    const run = new MadeUpRun();
    run.obey = (pid, signal) => {
      if (signal === 'SIGSTOP') run.set(pid, 'T');
    };
    expect(await run.replace()).toMatchObject({ ended: 'killed' });
    expect(run.sent).toEqual(['SIGSTOP 100', 'SIGTERM 101', 'SIGKILL 101', 'SIGKILL 100']);
  });
});

describe('a run is not replaced, and its coordinator goes on', () => {
  async function refused(run: MadeUpRun) {
    const error = await run.replace().then(
      () => undefined,
      ({ code, message }: { code: string; message: string }) => ({ code, message }),
    );
    expect(run.reasons).toEqual([]);
    expect(run.sent).not.toContain('SIGKILL 100');
    if (run.sent.includes('SIGSTOP 100')) expect(run.sent.at(-1)).toBe('SIGCONT 100');
    return error;
  }

  test('if it has ended by itself', async () => {
    const run = new MadeUpRun();
    run.machine.remove(101);
    run.obey = (pid, signal) => {
      MadeUpRun.prototype.obey.call(run, pid, signal);
      if (signal === 'SIGCONT') run.state = 'SUCCESS';
    };
    expect(await refused(run)).toEqual({
      code: 'process-not-running',
      message: 'process web ended by itself before it was restarted: run 3 is SUCCESS',
    });
  });

  test('if somebody else continues the coordinator', async () => {
    const run = new MadeUpRun();
    run.obey = (pid, signal) => {
      if (signal === 'SIGSTOP') run.set(pid, 'T');
    };
    run.machine.onSignal = (pid, signal) => {
      if (signal === 'SIGTERM' && pid === 101) run.onLook = () => run.set(100, 'S');
    };
    expect(await refused(run)).toEqual({
      code: 'restart-refused',
      message:
        'the coordinator of process web (process 100) was continued by somebody else: it was sent SIGTERM, and its end counts as if it had ended by itself',
    });
  });

  test('if its coordinator is gone', async () => {
    const run = new MadeUpRun();
    run.machine.onSignal = () => {
      run.onLook = () => run.machine.remove(100);
    };
    const error = await run.replace().catch(({ message }: Error) => message);
    expect(error).toBe('process web lost its coordinator before it was restarted: its runner runs it again');
  });

  test('if its coordinator does not stop', async () => {
    const run = new MadeUpRun();
    run.obey = () => {};
    expect(await refused(run)).toEqual({
      code: 'process-unending',
      message: 'process 100, the coordinator of web, does not stop',
    });
  });

  test('if something cannot be killed', async () => {
    const run = new MadeUpRun({ 102: { parent: 101, isDeathless: true } });
    run.obey = (pid, signal) => {
      if (signal === 'SIGSTOP') run.set(pid, 'T');
    };
    expect(await refused(run)).toEqual({
      code: 'process-unending',
      message: 'process 102 of web was killed but does not end',
    });
  });

  test('if it may not be signalled', async () => {
    const run = new MadeUpRun();
    run.refuses = 'SIGSTOP';
    expect(await run.replace().catch(({ code, message }) => ({ code, message }))).toEqual({
      code: 'signal-failed',
      message: 'process 100 cannot be sent SIGSTOP',
    });
    expect(run.sent).toEqual(['SIGSTOP 100']);
  });

  test('if a signal ends the command', async () => {
    const run = new MadeUpRun();
    run.obey = (pid, signal) => {
      if (signal === 'SIGSTOP') run.set(pid, 'T');
    };
    const isAsked = () => run.sent.includes('SIGTERM 101');
    expect(await run.replace(() => (isAsked() ? 130 : undefined))).toEqual({
      interrupted: 130,
      wasAsked: true,
    });
    expect(run.sent).toEqual(['SIGSTOP 100', 'SIGTERM 101', 'SIGCONT 100']);
  });
});
