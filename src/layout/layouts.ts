import { parentOf } from '../store/paths.js';

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
}

/** `host`: a bare root. `mesos`: the `checkpoints` directory in an executor's sandbox. */
export type LayoutName = 'host' | 'mesos';

const HOST: Layout = {
  name: 'host',
  base: ({ path }) => path,
  executes: true,
  around: ({ path }) => [path],
  ownsSandboxes: false,
};

const MESOS: Layout = {
  name: 'mesos',
  base: ({ path, run_dir }) => parentOf(run_dir ?? parentOf(path)),
  executes: false,
  around: ({ path, run_dir }) => [run_dir ?? parentOf(path), path],
  ownsSandboxes: true,
};

export const LAYOUTS: Readonly<Record<LayoutName, Layout>> = { host: HOST, mesos: MESOS };
