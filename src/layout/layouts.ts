import { parentOf } from '../store/paths.js';
import { MOST_ENTRIES } from './limits.js';
import { defaultLogDir } from './log-paths.js';
import { mesosIdsOf, placeInRun, sandboxInRun } from './mesos.js';
import { sandboxesIn } from './root-paths.js';

/** What the layouts need to know about a root. */
export interface RootPlace {
  readonly path: string;
  /** In the Mesos layout the executor's sandbox, which holds the root. */
  readonly run_dir?: string;
}

/** How a root is laid out on disk, and who owns the directories around it. */
export interface Layout {
  /** Its name in JSON documents. */
  readonly name: LayoutName;
  /** Does the path alone show that a root has this layout? */
  readonly isAt: (path: string) => boolean;
  /**
   * The directory below which other users may have put links: its own path is the administrator's, or was named by
   * the caller.
   */
  readonly base: (root: RootPlace) => string;
  /**
   * May commands from files of uid 0 be executed here? A container has a uid 0, too: the files that it writes say
   * nothing about the host.
   */
  readonly executes: boolean;
  /** The directories around a task's own files whose owners may have replaced them, outermost first. */
  readonly around: (root: RootPlace) => readonly string[];
  /** Does another program own the sandboxes and remove them eventually? */
  readonly ownsSandboxes: boolean;
  /** Does the root hold the sandboxes of its tasks by their ids? Then they are copied with it. */
  readonly holdsSandboxes: boolean;
  /** The directory that must be entered to read the root, and that a message about a refusal names. */
  readonly entryDirectory: (root: RootPlace) => string;
  /** Is the root one of thousands in one tree? */
  readonly isOneOfMany: boolean;
  /** How many task files or checkpoint directories are read. */
  readonly mostTasks: number;
  /** What is not at its recorded path is searched for, and accepted only if it is really in this directory. */
  readonly searchDirectory: (root: RootPlace) => string;
  /** The place here of a path that the root's own container recorded; undefined for other paths. */
  readonly ownPlace: (recorded: string, root: RootPlace) => string | undefined;
  /** May the root have been copied with its neighbours, so that the end of a recorded path can be found beside it? */
  readonly hasNeighbours: boolean;
  /** Where sandboxes of a task are by their names, the most certain first. */
  readonly sandboxes: (root: RootPlace, taskId: string) => readonly string[];
  /** Where log directories are by their names. */
  readonly logDirs: (root: RootPlace) => readonly string[];
}

export const LAYOUT_NAMES = ['host', 'mesos'] as const;

/** `host`: a bare root. `mesos`: the `checkpoints` directory in an executor's sandbox. */
export type LayoutName = (typeof LAYOUT_NAMES)[number];

export const HOST: Layout = {
  name: 'host',
  isAt: () => false,
  base: ({ path }) => path,
  executes: true,
  around: ({ path }) => [path],
  ownsSandboxes: false,
  holdsSandboxes: true,
  entryDirectory: ({ path }) => path,
  isOneOfMany: false,
  mostTasks: MOST_ENTRIES.tasks,
  searchDirectory: ({ path }) => parentOf(path),
  ownPlace: () => undefined,
  hasNeighbours: true,
  sandboxes: ({ path }, taskId) => {
    const parent = parentOf(path);
    const own = `${sandboxesIn(path)}/${taskId}`;
    return parent === '/' ? [own] : [own, `${sandboxesIn(parent)}/${taskId}`];
  },
  logDirs: () => [],
};

export const MESOS: Layout = {
  name: 'mesos',
  isAt: (path) => mesosIdsOf(parentOf(path)) !== undefined,
  base: (root) => parentOf(runDirOf(root)),
  executes: false,
  around: (root) => [runDirOf(root), root.path],
  ownsSandboxes: true,
  holdsSandboxes: false,
  entryDirectory: ({ path, run_dir }) => run_dir ?? path,
  isOneOfMany: true,
  mostTasks: MOST_ENTRIES.tasksInSandbox,
  searchDirectory: runDirOf,
  ownPlace: (recorded, root) => placeInRun(recorded, runDirOf(root)),
  hasNeighbours: false,
  sandboxes: (root) => [sandboxInRun(runDirOf(root))],
  logDirs: (root) => [defaultLogDir(sandboxInRun(runDirOf(root))), defaultLogDir(runDirOf(root))],
};

function runDirOf({ path, run_dir }: RootPlace): string {
  return run_dir ?? parentOf(path);
}

export const LAYOUTS: Readonly<Record<LayoutName, Layout>> = { host: HOST, mesos: MESOS };

/** The layout of a root, by its path alone: that of a bare host if the path shows no other. */
export function layoutAt(path: string): Layout {
  return Object.values(LAYOUTS).find((layout) => layout.isAt(path)) ?? HOST;
}
