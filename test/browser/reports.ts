import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { InspectDocument } from '../../src/contracts/task.js';
import type { LogExcerpt, TaskReport } from '../../src/report/model.js';
import type { taskPage as TaskPage } from '../../src/report/pages.js';
import { FIXTURES, REPOSITORY, thermos } from '../e2e/harness.js';

/** What makes pages, as it was built. */
const { taskPage } = createRequire(import.meta.url)(join(REPOSITORY, 'dist/report.cjs')) as {
  taskPage: typeof TaskPage;
};

export { taskPage };

/** How much of a log a page shows. */
const [FIRST, LAST] = [20, 200];

/** By what is special about it: the tree of a task in the fixtures, and its id if it is not alone there. */
const TASKS = {
  success: ['checkpoints/diamond'],
  failed: ['mesos', 'www-data-devel-etl-3-3a5f92b5-1098-5286-a2b6-31e2e1a08f5d'],
  killed: ['mesos', 'www-data-prod-api-7-c8f2d349-6ed8-5676-8d32-54b122ce8270'],
  lost: ['mesos', 'nobody-prod-cache-2-fe52a78a-3496-5c02-9f99-9248643e09b0'],
  running: ['checkpoints/live-active'],
  retries: ['checkpoints/thirty-runs'],
  finalized: ['checkpoints/final-on-failure'],
  'fifty processes': ['checkpoints/fifty-processes'],
  'a large log': ['checkpoints/large-stdout'],
  'odd names': ['checkpoints/odd-names'],
  'names in other scripts': ['checkpoints/unicode'],
  'a long id': ['checkpoints/long-task-id'],
  'a damaged stream': ['checkpoints/damaged-hole-of-zeros-4096'],
  'control characters': ['checkpoints/damaged-control-chars'],
  'names of prototypes': ['checkpoints/damaged-process-name-proto'],
  'extreme numbers': ['checkpoints/damaged-numbers-extreme'],
  'times that are none': ['checkpoints/damaged-times-nan-inf'],
  'a header and nothing else': ['checkpoints/damaged-only-header'],
} as const;
export type TaskName = keyof typeof TASKS;
export const TASK_NAMES = Object.keys(TASKS) as TaskName[];

function placeOf(name: TaskName): { flags: string[]; id: string } {
  const [tree, id] = TASKS[name];
  const path = join(FIXTURES, tree);
  if (id !== undefined) return { flags: ['--mesos-root', path], id };
  const { task_ids } = JSON.parse(readFileSync(join(path, 'case.json'), 'utf8'));
  return { flags: ['--root', join(path, 'root')], id: task_ids[0] };
}

/** The report of a task in the fixtures, an hour after its last transition. */
export function reportOf(name: TaskName): TaskReport {
  const { flags, id } = placeOf(name);
  const task = JSON.parse(thermos(['inspect', '--json', ...flags, id]).stdout) as InspectDocument;
  const failed = task.processes.find(({ state }) => state === 'FAILED');
  return {
    made_ms: Number(task.state_timestamp_ms ?? 1_795_286_282_688) + 3_600_000,
    made_by: 'thermos 1.0.0',
    task,
    failing: failed && { process: failed.process, run: failed.runs - 1 },
    excerpts: task.logs.map((log) => excerptOf(log)),
  };
}

function excerptOf({ process, run, stream, path, bytes }: InspectDocument['logs'][0]): LogExcerpt {
  const lines = readFileSync(path, 'utf8').split('\n');
  if (lines.at(-1) === '') lines.pop();
  const own = { process, run, stream, path, bytes };
  if (lines.length <= FIRST + LAST) return { ...own, first: lines, last: [] };
  const left = lines.slice(FIRST, -LAST);
  return {
    ...own,
    first: lines.slice(0, FIRST),
    left_out: { lines: left.length, bytes: Buffer.byteLength(left.join('\n')) + 1 },
    last: lines.slice(-LAST),
  };
}

/** A report as large as the largest task that must be looked at well: 500 processes of 20 runs each. */
export function largeReport(processes = 500, runs = 20): TaskReport {
  const report = reportOf('failed');
  const names = Array.from({ length: processes }, (_, i) => `process-${i}`);
  const begin = Number(report.task.launch_time_ms) / 1000;
  const history = Object.fromEntries(
    names.map((process, i) => [
      process,
      Array.from({ length: runs }, (_, run) => {
        const start_time = begin + i * 2 + run * 1.5;
        const isLast = run === runs - 1;
        return {
          seq: run * 4 + 3,
          process,
          state: isLast ? ('SUCCESS' as const) : ('FAILED' as const),
          fork_time: start_time - 0.1,
          start_time,
          stop_time: start_time + 1,
          pid: 1000 + i,
          coordinator_pid: 900 + i,
          return_code: isLast ? 0 : 1,
        };
      }),
    ]),
  );
  const end = (begin + processes * 2 + runs * 1.5 + 5) * 1000;
  return {
    ...report,
    made_ms: end + 60_000,
    failing: undefined,
    excerpts: [],
    task: {
      ...report.task,
      task_id: 'large-prod-batch-0-9c12e5c5-32ee-552e-900e-b313c2ed87bd',
      state: 'SUCCESS',
      state_timestamp_ms: end,
      statuses: [
        { state: 'ACTIVE', timestamp_ms: begin * 1000 },
        { state: 'SUCCESS', timestamp_ms: end },
      ],
      processes: names.map((process) => ({
        process,
        state: 'SUCCESS',
        runs,
        failures: runs - 1,
        return_code: 0,
        start_time: history[process]?.at(-1)?.start_time,
        stop_time: history[process]?.at(-1)?.stop_time,
        cmdline: 'make',
      })),
      history,
      ordering: names.map((process, i) => ({
        process,
        after: [names[i - 7], names[i - 11]].filter((name) => name !== undefined),
      })),
      logs: [],
      why: ['The task ended SUCCESS.'],
    },
  };
}
