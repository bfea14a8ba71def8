import type { Excerpt } from '../../src/logs/excerpt.js';
import type { TaskReport } from '../../src/report/model.js';

type Task = TaskReport['task'];

const T0 = 1_763_750_000;
export const MADE_MS = (T0 + 60) * 1000;

/** A task that failed: fetch succeeded, web failed twice, and report never ran. */
export function failedTask(changes: Partial<Task> = {}): Task {
  return {
    task_id: 'www-data-prod-web-0',
    root: '/var/run/thermos',
    layout: 'host',
    phase: 'finished',
    state: 'FAILED',
    verdict: 'ok',
    state_timestamp_ms: (T0 + 31) * 1000,
    launch_time_ms: T0 * 1000,
    name: 'web',
    user: 'www-data',
    hostname: 'host-1',
    processes: [
      { process: 'fetch', state: 'SUCCESS', runs: 1, failures: 0, return_code: 0 },
      { process: 'web', state: 'FAILED', runs: 2, failures: 2, return_code: 2, max_failures: 2 },
      { process: 'report', state: 'WAITING', runs: 0, failures: 0 },
    ],
    problems: [],
    header: null,
    statuses: [],
    history: {
      fetch: [{ process: 'fetch', state: 'SUCCESS', start_time: T0, stop_time: T0 + 10, return_code: 0 }],
      web: [
        { process: 'web', state: 'FAILED', start_time: T0 + 10, stop_time: T0 + 15.5, return_code: 2 },
        { process: 'web', state: 'FAILED', start_time: T0 + 16, stop_time: T0 + 30, return_code: -9 },
      ],
    },
    task: null,
    ordering: [{ process: 'web', after: ['fetch'] }],
    resources: null,
    logs: [],
    why: [
      'The task ended FAILED at 2025-11-21T18:33:51Z.',
      'Process web failed first: run 1, signal 9, SIGKILL, at 2025-11-21T18:33:50Z.',
      'Its stderr ends with:',
      '  | no space left on device',
      'Task: 1 of 1 allowed failed processes used, so the task fails.',
    ],
    ...changes,
  };
}

export function excerpt(changes: Partial<Excerpt> = {}): Excerpt {
  return {
    process: 'web',
    run: 1,
    stream: 'stderr',
    path: '/sandbox/.logs/web/1/stderr',
    bytes: 42,
    first: ['listening on \u001b[1m8080\u001b[0m', 'no space left on device'],
    last: [],
    ...changes,
  };
}

export function report(changes: Partial<TaskReport> = {}): TaskReport {
  return {
    made_ms: MADE_MS,
    made_by: 'thermos 1.0.0',
    task: failedTask(),
    failing: { process: 'web', run: 1 },
    excerpts: [excerpt()],
    ...changes,
  };
}
