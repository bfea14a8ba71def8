import type { Problem } from '../errors/problem.js';
import type { LayoutName } from '../layout/layouts.js';
import type { MesosIds } from '../layout/mesos.js';
import type { Phase } from '../layout/root-paths.js';

/** The agent of Mesos that a root was read from, over HTTP. */
export interface RemoteAgent {
  /** Empty if it does not say. */
  id: string;
  url: string;
  hostname: string;
}

/** A directory that holds `tasks/` and `checkpoints/`. */
export interface TaskRoot {
  /** Absolute. */
  path: string;
  layout: LayoutName;
  /** How it was found, for display: `--root`, `THERMOS_ROOT`, `cwd`, `default`, `user`, `mesos-agent` …; no blanks. */
  source: string;
  /** The absolute path of the tree around it, if a flag names that. */
  named?: string;
  /** False if it can't be listed; then it has a problem too. */
  readable: boolean;
  /** Only in the mesos layout, as `run_dir`: the executor's sandbox, which holds the root. */
  mesos?: MesosIds;
  run_dir?: string;
  /** Only of a root on another host. */
  agent?: RemoteAgent;
  /** Only of a root on another host: the flags besides its address that its agent is asked with. */
  access?: readonly string[];
  /** By how many milliseconds the clock of that host is ahead of ours; 0 if they agree well enough. */
  ahead_ms?: number;
}

/** A task that has a trace on disk: a task file, a checkpoint directory, or both. */
export interface FoundTask {
  task_id: string;
  root: TaskRoot;
  phase: Phase;
  /** ROOT/tasks/PHASE/ID, if it exists. */
  task_file?: string;
  /** ROOT/checkpoints/ID; may not exist. */
  checkpoint_dir: string;
  /** True if the sandbox can't be entered: only the id is known. */
  unreadable?: boolean;
  problems: Problem[];
}

export interface Discovery {
  /** The addresses of the agents that were asked; undefined if this host was looked at. */
  agents?: readonly string[];
  /** The flags besides their addresses that the agents were asked with. */
  access?: readonly string[];
  /** If masters listed them: those that a command that asks them again has to name. */
  masters?: readonly string[];
  roots: TaskRoot[];
  /** Sorted: active before finished, then by task id, then by root. */
  tasks: FoundTask[];
  problems: Problem[];
}
