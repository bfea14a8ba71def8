import { UsageError } from '../errors/errors.js';
import type { Phase } from '../layout/root-paths.js';

/** Aurora's api.thrift, ScheduleStatus. */
const SCHEDULE_STATUS: Record<string, number> = {
  PENDING: 0,
  STARTING: 1,
  RUNNING: 2,
  FINISHED: 3,
  FAILED: 4,
  KILLED: 5,
  KILLING: 6,
  LOST: 7,
  ASSIGNED: 9,
  INIT: 11,
  RESTARTING: 12,
  PREEMPTING: 13,
  THROTTLED: 16,
  DRAINING: 17,
  PARTITIONED: 18,
};

const TERMINAL = new Set(['FINISHED', 'FAILED', 'KILLED', 'LOST']);
const STARTING = new Set(['INIT', 'THROTTLED', 'PENDING', 'ASSIGNED', 'STARTING']);

export type Expected = 'active' | 'starting' | 'terminal' | 'unknown';
export type Local = 'active' | 'finished' | 'absent';
export type ReconcileAction = 'none' | 'kill' | 'collect' | 'send-final-state' | 'send-lost';

/**
 * Parses the scheduler's view: a JSON object of task ids and schedule statuses, by name or by number. Throws UsageError
 * `bad-retained` for anything else.
 */
export function parseRetained(text: string, from: string): Map<string, string> {
  const wrong = (what: string) =>
    new UsageError(
      'bad-retained',
      `${from} ${what}`,
      'it has the form {"www-data-prod-web-0-…": "RUNNING", …}; see gc --help',
    );
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw wrong('is not JSON');
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw wrong('is not a JSON object');
  const names = new Map(Object.entries(SCHEDULE_STATUS).map(([name, number]) => [number, name]));
  const retained = new Map<string, string>();
  for (const [task_id, value] of Object.entries(json)) {
    const name = typeof value === 'number' ? names.get(value) : String(value).toUpperCase();
    if (name === undefined || !Object.hasOwn(SCHEDULE_STATUS, name)) {
      throw wrong(`has ${JSON.stringify(value)} for task ${task_id}, which is not a schedule status`);
    }
    retained.set(task_id, name);
  }
  return retained;
}

export function expectedOf(status: string | undefined): Expected {
  if (status === undefined) return 'unknown';
  if (TERMINAL.has(status)) return 'terminal';
  return STARTING.has(status) ? 'starting' : 'active';
}

/**
 * The action for a task, given its state on disk and the scheduler's view: the table of Aurora's GC executor
 * (gc_executor.py of 0.7). Pure.
 */
export function reconcileAction(local: Local, expected: Expected): ReconcileAction {
  switch (local) {
    case 'active':
      return expected === 'terminal' || expected === 'unknown' ? 'kill' : 'none';
    case 'finished':
      if (expected === 'unknown') return 'collect';
      return expected === 'terminal' ? 'none' : 'send-final-state';
    case 'absent':
      return expected === 'active' ? 'send-lost' : 'none';
  }
}

/** The Mesos state that corresponds to a task's state (gc_executor.py, THERMOS_TO_MESOS_STATES). */
export function mesosStateOf(state: unknown): string {
  switch (state) {
    case 'ACTIVE':
    case 'CLEANING':
    case 'FINALIZING':
      return 'TASK_RUNNING';
    case 'SUCCESS':
      return 'TASK_FINISHED';
    case 'FAILED':
    case 'KILLED':
      return `TASK_${state}`;
    default:
      return 'TASK_LOST';
  }
}

/** A row of the table of tasks here and what the scheduler expects of them. */
export interface Reconciled {
  task_id: string;
  root?: string;
  local: Local;
  local_state?: string;
  expected: string;
  action: ReconcileAction;
  /** The status to send to the scheduler. */
  send?: { state: string; message: string };
}

/** The row of a task that is here. Pure. */
export function reconciled(
  { task_id, root, phase, state }: { task_id: string; root: string; phase: Phase; state?: string },
  status: string | undefined,
): Reconciled {
  const action = reconcileAction(phase, expectedOf(status));
  const finished = { state: mesosStateOf(state), message: 'Task finish detected by GC executor.' };
  return {
    task_id,
    root,
    local: phase,
    local_state: state,
    expected: status ?? 'unknown',
    action,
    send: action === 'send-final-state' ? finished : undefined,
  };
}

/** The row of a task that is not here. Pure. */
export function absentHere(task_id: string, status: string): Reconciled {
  const action = reconcileAction('absent', expectedOf(status));
  const lost = { state: 'TASK_LOST', message: 'GC executor found no trace of task.' };
  const send = action === 'send-lost' ? lost : undefined;
  return { task_id, local: 'absent', expected: status, action, send };
}
