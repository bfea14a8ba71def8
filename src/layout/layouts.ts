import { parentOf } from '../store/paths.js';
import { MOST_ENTRIES } from './limits.js';
import { defaultLogDir } from './log-paths.js';
import { placeInRun, sandboxInRun } from './mesos.js';
import { sandboxesIn } from './root-paths.js';

/** What the layouts have to know of a root. */
export interface RootPlace {
  readonly path: string;
  /** In the Mesos layout the executor's sandbox, which holds the root. */
  readonly run_dir?: string;
}

/** How a root lies on disk, and whose the directories around it are. */
export interface Layout {
  /** In documents. */
  readonly name: LayoutName;
  /**
   * The directory below which somebody else may have laid links: its own path is the administrator's, or was
   * named by whoever asks.
   */
  readonly base: (root: RootPlace) => string;
  /**
   * May what the files of root say be executed here? In a container there is a root, too: its files are written
   * by uid 0 and say nothing about the host.
   */
  readonly executes: boolean;
  /** The directories around a task's own files whose owners may have exchanged them, outermost first. */
  readonly around: (root: RootPlace) => readonly string[];
  /** Does somebody else own the sandboxes and remove them in time? */
  readonly ownsSandboxes: boolean;
  /** The directory that has to be entered to look into the root; who may not has to be told of that one. */
  readonly door: (root: RootPlace) => string;
  /** Is the root one of thousands that lie together? */
  readonly isOneOfMany: boolean;
  /** How many task files or checkpoint directories are looked at. */
  readonly mostTasks: number;
  /** What is looked for because it isn't where it was recorded is really in this directory, or it is nothing. */
  readonly surroundings: (root: RootPlace) => string;
  /** The place here that a path recorded by the very container of the root means; undefined if it is none of its. */
  readonly ownPlace: (recorded: string, root: RootPlace) => string | undefined;
  /** Was the root copied with what was around it, so that a recorded path may go on beside it under other names? */
  readonly hasNeighbours: boolean;
  /** Where sandboxes of a task stand by their names, the most certain first. */
  readonly sandboxes: (root: RootPlace, taskId: string) => readonly string[];
  /** Where logs stand by their names. */
  readonly logDirs: (root: RootPlace) => readonly string[];
}

export const LAYOUT_NAMES = ['host', 'mesos'] as const;

/** `host`: a bare root. `mesos`: the `checkpoints` directory in an executor's sandbox. */
export type LayoutName = (typeof LAYOUT_NAMES)[number];

export const HOST: Layout = {
  name: 'host',
  base: ({ path }) => path,
  executes: true,
  around: ({ path }) => [path],
  ownsSandboxes: false,
  door: ({ path }) => path,
  isOneOfMany: false,
  mostTasks: MOST_ENTRIES.tasks,
  surroundings: ({ path }) => parentOf(path),
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
  base: (root) => parentOf(runDirOf(root)),
  executes: false,
  around: (root) => [runDirOf(root), root.path],
  ownsSandboxes: true,
  door: ({ path, run_dir }) => run_dir ?? path,
  isOneOfMany: true,
  mostTasks: MOST_ENTRIES.tasksInSandbox,
  surroundings: runDirOf,
  ownPlace: (recorded, root) => placeInRun(recorded, runDirOf(root)),
  hasNeighbours: false,
  sandboxes: (root) => [sandboxInRun(runDirOf(root))],
  logDirs: (root) => [defaultLogDir(sandboxInRun(runDirOf(root))), defaultLogDir(runDirOf(root))],
};

function runDirOf({ path, run_dir }: RootPlace): string {
  return run_dir ?? parentOf(path);
}

export const LAYOUTS: Readonly<Record<LayoutName, Layout>> = { host: HOST, mesos: MESOS };
