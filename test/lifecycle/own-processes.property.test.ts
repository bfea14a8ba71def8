import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ProcessRow } from '../../src/host/process-table.js';
import { ownProcesses, type RunTrace } from '../../src/lifecycle/own-processes.js';

const UID = 1000;
/** The real boot, which no clock of these machines needs to know. */
const BOOT_S = 1_700_000_000;
/** How wrong a clock is, in seconds. */
const error = fc.oneof(fc.integer({ min: -12, max: 12 }), fc.integer({ min: -1e6, max: 1e6 }));

/** What became of one of two recorded processes, whose pid may have been given to another. */
const fate = fc.oneof(
  fc.constant('alive' as const),
  fc.constant('gone' as const),
  fc.record({ stranger: fc.oneof(fc.integer({ min: 1, max: 1000 }), fc.integer({ min: 1, max: 1e7 })) }),
);

const runs = fc.array(
  fc.record({
    ticks: fc.integer({ min: 1000, max: 1e7 }),
    delay: fc.integer({ min: 0, max: 300 }),
    /** Of the clock, when the runner recorded the coordinator, and when that recorded its command. */
    errors: fc.tuple(error, error),
    coordinator: fate,
    command: fate,
    leavesSession: fc.boolean(),
    isReparented: fc.boolean(),
  }),
  { minLength: 1, maxLength: 4 },
);

test('with exact starts, the recorded processes are known and those who have their pids are not, whatever the clock did', () => {
  fc.assert(
    fc.property(runs, error, (made, now) => {
      const rows: ProcessRow[] = [];
      const genuine: number[] = [];
      const traces = made.map((each, i): RunTrace => {
        const { ticks: coordinatorTicks, delay, errors, coordinator, command } = each;
        const [coordinatorPid, pid] = [100 + 10 * i, 101 + 10 * i];
        const ticks = coordinatorTicks + delay;
        const add = (row: Partial<ProcessRow> & Pick<ProcessRow, 'pid' | 'startTimeTicks'>) =>
          rows.push({ parent: 1, session: row.pid, state: 'S', uid: UID, ...row });
        // A pid that is the number of a living session is not given away.
        const isHeld = command === 'alive' && !each.leavesSession;
        if (coordinator === 'alive') {
          genuine.push(coordinatorPid);
          add({ pid: coordinatorPid, startTimeTicks: coordinatorTicks });
        } else if (coordinator !== 'gone' && !isHeld) {
          add({ pid: coordinatorPid, startTimeTicks: coordinatorTicks + coordinator.stranger });
        }
        if (command === 'alive') {
          genuine.push(pid);
          const parent = coordinator === 'alive' && !each.isReparented ? coordinatorPid : 1;
          add({ pid, startTimeTicks: ticks, parent, session: each.leavesSession ? pid : coordinatorPid });
        } else if (command !== 'gone') {
          add({ pid, startTimeTicks: ticks + command.stranger });
        }
        const forkTime = BOOT_S + coordinatorTicks / 100 + errors[0];
        const startTime = BOOT_S + ticks / 100 + errors[1];
        return { process: `p${i}`, coordinatorPid, forkTime, pid, startTime, coordinatorTicks, ticks };
      });
      const { own, doubtful } = ownProcesses(rows, traces, {
        uid: UID,
        isAnyUsers: false,
        bootTimeMs: (BOOT_S + now) * 1000,
        spared: new Set(),
        recordsSuffice: true,
        isCoordinator: () => false,
        isForeign: () => false,
        isMarked: () => false,
        isLogging: () => false,
        starts: new Map(),
        isKnown: () => false,
      });
      expect(own.map(({ pid }) => pid).sort()).toEqual(genuine.sort());
      expect(doubtful).toEqual([]);
    }),
    { numRuns: 1000 },
  );
});
