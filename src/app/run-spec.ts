import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { executorSandbox, PLACES, userRoot } from '../discovery/roots.js';
import { UsageError } from '../errors/errors.js';
import { callersOpenFiles } from '../host/open-files.js';
import { rootInRun, sandboxInRun } from '../layout/mesos.js';
import { REPORT_DIRECTORY, TASK_PAGES } from '../layout/report-paths.js';
import { pathsOf } from '../layout/task-paths.js';
import type { NewTask, RunSettings } from '../runner/api.js';
import type { LoggerPolicy } from '../runner/task-document.js';
import { absolutePath, mayUse } from '../store/look.js';
import { parentOf } from '../store/paths.js';
import type { PreparedTask } from './prepared-task.js';
import { rootOptions } from './root-options.js';
import type { RootFlags } from './search.js';

/** How to run a task; missing options have the original's defaults. */
export interface RunOptions {
  readonly roots: RootFlags;
  readonly sandbox?: string;
  /** The user to run as; without it, the current user. */
  readonly user?: string;
  readonly hostname?: string;
  readonly chroot?: boolean;
  readonly preserveEnv: boolean;
  readonly maxRuns: number;
  readonly logger: Partial<LoggerPolicy>;
  /**
   * Where the page of the task is written; true: below the working directory, false: nowhere. Default: beside the sandbox
   * below a Mesos executor, else nowhere.
   */
  readonly report?: string | boolean;
}

/** What to run and how; it can be passed to another process as JSON. */
export interface RunSpec {
  task: Omit<NewTask, 'task'> & { document: Readonly<Record<string, unknown>> };
  settings: Omit<RunSettings, 'coordinator' | 'console' | 'now'>;
  /** Where the page of the task is kept up to date, absolute; default: nowhere. */
  report?: string;
}

/** The spec of a run of a prepared task. Throws UsageError. */
export function runSpec({ taskId, ports, document }: PreparedTask, options: RunOptions): RunSpec {
  const place = placeToRunIn(options.roots);
  const { root } = place;
  const { sandbox, user, chroot, preserveEnv, maxRuns, logger } = options;
  return {
    task: {
      root,
      taskId,
      document,
      sandbox:
        sandbox === undefined ? (place.sandbox ?? pathsOf({ root, taskId }).sandbox) : resolve(sandbox),
      user,
      hostname: options.hostname ?? hostname(),
      ports,
    },
    settings: { chroot, preserveEnv, maxRuns, logger, openFiles: callersOpenFiles() },
    report: reportDirectory(options.report ?? place.report ?? false, taskId),
  };
}

function reportDirectory(given: string | boolean, taskId: string): string | undefined {
  if (given === false) return undefined;
  return resolve(given === true ? `${REPORT_DIRECTORY}/${TASK_PAGES}/${taskId}` : given);
}

/** Where to run a task if the flags do not say. */
interface RunPlace {
  readonly root: string;
  /** Undefined: the usual one in the root. */
  readonly sandbox?: string;
  /** Where the page of the task is. Undefined: it has none. */
  readonly report?: string;
}

/**
 * The named root; else that in the executor's sandbox that we run in; else the first that a file of defaults names; else
 * that of the host if we may write there; else the user's own. Throws UsageError.
 */
export function placeToRunIn(flags: RootFlags): RunPlace {
  const { root = [], 'mesos-root': mesosRoot = [] } = flags;
  if (mesosRoot.length > 0) {
    throw new UsageError('usage', 'a task is run in a task root: give it with --root, not --mesos-root');
  }
  if (root.length > 1) throw new UsageError('usage', `a task is run in one root, not in ${root.length}`);
  if (root[0] !== undefined) return { root: resolve(root[0]) };
  const options = rootOptions(flags);
  const fromEnv = options.env.THERMOS_ROOT;
  if (fromEnv) {
    const [first, ...others] = fromEnv.split(':').filter((path) => path !== '');
    if (first !== undefined && others.length === 0) return { root: absolutePath(first, options.cwd ?? '/') };
    throw new UsageError('usage', `THERMOS_ROOT names ${others.length + 1} roots`, 'choose one with --root');
  }
  const ofExecutor = executorSandbox(options);
  if (ofExecutor !== undefined) {
    const report = `${ofExecutor}/${REPORT_DIRECTORY}`;
    return { root: rootInRun(ofExecutor), sandbox: sandboxInRun(ofExecutor), report };
  }
  const [configured] = options.defaultRoots?.root ?? [];
  if (configured !== undefined) return { root: absolutePath(configured, '/') };
  if (options.euid === 0 || isWritable(PLACES.hostRoot)) return { root: PLACES.hostRoot };
  const own = userRoot(options);
  if (own !== undefined) return { root: own };
  throw new UsageError(
    'root-unwritable',
    `you may not write to ${PLACES.hostRoot}, and have no home directory`,
    'use --root',
  );
}

/** Checks the path, or the directory around it if it does not exist yet. */
function isWritable(path: string): boolean {
  return mayUse(path, 'change') ?? mayUse(parentOf(path), 'change') ?? false;
}
