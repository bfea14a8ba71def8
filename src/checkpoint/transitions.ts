/**
 * The state transitions of a run of a process, and the fields of each. These are the rules of the original's replay: `CheckpointDispatcher` in Aurora's `apache/thermos/common/ckpt.py`, release 0.22. A stream that breaks them is
 * damaged. The original has no rules for the states of a task: any state may follow any other. Pure.
 */

import { PROCESS_FIELD } from './codec.js';
import {
  type Int64,
  PROCESS_STATES,
  type ProcessState,
  type ProcessStatus,
  TERMINAL_PROCESS_STATES,
} from './records.js';

type ProcessField = keyof ProcessStatus;

interface Rule {
  readonly from: readonly ProcessState[];
  /** The fields that an update must have. */
  readonly needs: readonly ProcessField[];
  /** The fields that are taken from it if it has them. */
  readonly takes?: readonly ProcessField[];
}

/** The rules by the state in an update. WAITING begins a run; it is also the first state of a process. */
const RULES: Readonly<Record<ProcessState, Rule>> = {
  WAITING: { from: TERMINAL_PROCESS_STATES, needs: ['seq', 'process'] },
  FORKED: { from: ['WAITING'], needs: ['seq', 'fork_time', 'coordinator_pid'] },
  RUNNING: { from: ['FORKED'], needs: ['seq', 'start_time', 'pid'] },
  SUCCESS: { from: ['RUNNING'], needs: ['seq', 'stop_time', 'return_code'] },
  KILLED: { from: ['FORKED', 'RUNNING'], needs: ['seq', 'stop_time', 'return_code'] },
  // The original drops these two fields although its runner writes them; they are kept here.
  FAILED: { from: ['WAITING', 'RUNNING'], needs: ['seq'], takes: ['stop_time', 'return_code'] },
  LOST: { from: ['FORKED', 'RUNNING'], needs: ['seq'] },
};

const idOf = (field: ProcessField): number =>
  PROCESS_FIELD[field.toUpperCase() as keyof typeof PROCESS_FIELD];

/** A set of small numbers. */
export const bits = (...ids: number[]): number => ids.reduce((sum, id) => sum | (1 << id), 0);

/** A rule in bits: states by their number, fields by their id. */
export interface Transition {
  readonly from: number;
  readonly needs: number;
  /** All fields that are taken, `needs` among them. */
  readonly takes: number;
}

/** The rules by the number of the state in an update. */
export const TRANSITIONS: readonly Transition[] = PROCESS_STATES.map((state) => {
  const { from, needs, takes = [] } = RULES[state];
  return {
    from: bits(...from.map((each) => PROCESS_STATES.indexOf(each))),
    needs: bits(...needs.map(idOf)),
    takes: bits(...needs.map(idOf), ...takes.map(idOf)),
  };
});

/** May the update be applied to a run in state `from` (undefined: there is no run)? The `seq` is not compared. */
export function mayFollow(from: ProcessState | undefined, update: ProcessStatus): boolean {
  const rule = typeof update.state === 'string' ? RULES[update.state] : undefined;
  if (rule === undefined) return false;
  if (from === undefined ? update.state !== 'WAITING' : !rule.from.includes(from)) return false;
  return rule.needs.every((field) => update[field] !== undefined);
}

/** What an applicable update says about the run; fields that do not belong to its state are left out. */
export function takenFrom(update: ProcessStatus): ProcessStatus {
  const { needs, takes = [] } = RULES[update.state as ProcessState];
  const taken: Record<string, unknown> = { state: update.state };
  for (const field of [...needs, ...takes]) if (update[field] !== undefined) taken[field] = update[field];
  return taken;
}

/** The name of the field with the lowest id that is in `needs` but not in `has`. */
export function missingField(has: number, needs: number): string | undefined {
  const missing = needs & ~has;
  return missing === 0 ? undefined : FIELD_NAMES[31 - Math.clz32(missing & -missing)];
}

const FIELD_NAMES: Record<number, string> = Object.fromEntries(
  Object.entries(PROCESS_FIELD).map(([name, id]) => [id, name.toLowerCase()]),
);

/** The sequence number `by` after `seq`: a number if that is exact. */
export function followingSeq(seq: Int64, by = 1): Int64 {
  if (typeof seq === 'number' && Number.isSafeInteger(seq + by)) return seq + by;
  const next = BigInt(seq) + BigInt(by);
  return next >= -(2n ** 53n) && next < 2n ** 53n ? Number(next) : next;
}
