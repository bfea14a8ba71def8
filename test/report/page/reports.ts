import type { InspectDocument } from '../../../src/contracts/task.js';
import type { Excerpt } from '../../../src/logs/excerpt.js';
import type { TaskReport } from '../../../src/report/model.js';

/** Milliseconds since the epoch at which the made-up tasks were launched. */
export const LAUNCHED = 1_400_000_000_000;

/** The document of a task with no process; `fields` are what is different. */
export function taskOf(fields: Partial<InspectDocument> = {}): InspectDocument {
  return {
    task_id: 'task-1',
    root: '/var/run/thermos',
    layout: 'host',
    phase: 'finished',
    state: 'SUCCESS',
    verdict: 'ok',
    state_timestamp_ms: LAUNCHED + 10_000,
    launch_time_ms: LAUNCHED,
    processes: [],
    problems: [],
    header: null,
    statuses: [
      { state: 'ACTIVE', timestamp_ms: LAUNCHED + 100 },
      { state: 'SUCCESS', timestamp_ms: LAUNCHED + 10_000 },
    ],
    history: {},
    task: null,
    ordering: [],
    resources: null,
    logs: [],
    why: ['The task ended SUCCESS.'],
    ...fields,
  } as InspectDocument;
}

type Run = InspectDocument['history'][string][number];

/** A task whose processes have these runs. */
export function taskWith(
  history: Record<string, Run[]>,
  fields: Partial<InspectDocument> = {},
): InspectDocument {
  return taskOf({
    history,
    processes: Object.entries(history).map(([process, runs]) => ({
      process,
      state: runs.at(-1)?.state ?? 'WAITING',
      runs: runs.length,
      failures: runs.filter(({ state }) => state === 'FAILED').length,
      return_code: runs.at(-1)?.return_code,
    })),
    ...fields,
  });
}

/** A run that started so many seconds after the task and took so many. */
export function runOf(after: number, took: number, state: 'SUCCESS' | 'FAILED' = 'SUCCESS'): Run {
  const start = LAUNCHED / 1000 + after;
  return {
    state,
    fork_time: start - 0.5,
    start_time: start,
    stop_time: start + took,
    return_code: state === 'SUCCESS' ? 0 : 1,
  };
}

export function reportOf(task: InspectDocument, fields: Partial<TaskReport> = {}): TaskReport {
  return { made_ms: LAUNCHED + 60_000, made_by: 'thermos 1.0.0', task, excerpts: [], ...fields };
}

/** A report of a task with one process, `main`, that failed and wrote these lines to its stderr. */
export function failureWith(lines: readonly string[], more: Partial<Excerpt> = {}): TaskReport {
  const log = { process: 'main', run: 0, stream: 'stderr' as const, path: '/s/main/0/stderr', bytes: 1000 };
  return reportOf(taskWith({ main: [runOf(1, 2, 'FAILED')] }, { state: 'FAILED', logs: [log] }), {
    failing: { process: 'main', run: 0 },
    excerpts: [{ ...log, first: lines, last: [], ...more }],
  });
}
