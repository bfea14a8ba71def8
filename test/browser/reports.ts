import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { TaskReport } from '../../src/report/model.js';
import type * as Pages from '../../src/report/pages.js';
import { FIXTURES, REPOSITORY, thermos } from '../e2e/harness.js';

/** What makes pages, as it was built: for reports of which there is no task. */
export const { listPage, taskPage } = createRequire(import.meta.url)(
  join(REPOSITORY, 'dist/report.cjs'),
) as typeof Pages;

/** Saves a page in the directory of the tests, which is removed after them. Returns its address. */
export function saved(page: string): string {
  const path = join(mkdtempSync(join(tmpdir(), 'page-')), 'index.html');
  writeFileSync(path, page);
  return pathToFileURL(path).href;
}

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

interface WrittenPage {
  task_id: string;
  root: string;
  path: string;
}

let written: { pages: readonly WrittenPage[]; index: string } | undefined;

/** What `report` wrote for all these tasks: once, and for all tests. */
export function writtenPages() {
  if (written !== undefined) return written;
  const bare = Object.values(TASKS).filter(([tree]) => tree !== 'mesos');
  const roots = bare.flatMap(([tree]) => ['--root', join(FIXTURES, tree, 'root')]);
  const out = mkdtempSync(join(tmpdir(), 'report-'));
  const words = ['report', '--json', '--out', out, ...roots, '--mesos-root', join(FIXTURES, 'mesos')];
  const { stdout, stderr } = thermos(words);
  const document = JSON.parse(stdout);
  if (document.pages === undefined) throw new Error(`report: ${stdout}${stderr}`);
  written = document as { pages: WrittenPage[]; index: string };
  return written;
}

function fileOf(name: TaskName): string {
  const [tree, id] = TASKS[name];
  const page = writtenPages().pages.find(
    ({ task_id, root }) => root.startsWith(join(FIXTURES, tree, '/')) && (id ?? task_id) === task_id,
  );
  if (page === undefined) throw new Error(`report wrote no page for the task of ${tree}`);
  return page.path;
}

/** The address of the page of a task. */
export function addressOf(name: TaskName): string {
  return pathToFileURL(fileOf(name)).href;
}

/** What a page shows. */
export function reportOf(name: TaskName): TaskReport {
  const script = readFileSync(join(dirname(fileOf(name)), 'report.js'), 'utf8');
  return JSON.parse(script.replace(/^[^(]*\(/, '').replace(/\);\s*$/, ''));
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
