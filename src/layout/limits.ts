/**
 * How many entries of a directory are looked at. Whoever may write to one may fill it, and everybody else pays
 * for that: no real tree comes near these numbers, and a listing that was cut is told.
 */
export const MOST_ENTRIES = {
  /** Task files or checkpoint directories of a bare root: weeks of a busy host. */
  tasks: 100_000,
  /** The same in an executor's sandbox, which holds one task, or a few. */
  tasksInSandbox: 1_000,
  /** Directories of one level of the Mesos tree: agents, frameworks, executors, runs. */
  mesosLevel: 100_000,
  /** Directories of the runs of one process: a daemon may run again for years. */
  runs: 10_000,
  /** Files of one run: its logs and their backups. */
  runFiles: 1_000,
  /** Directories of processes in a log directory. */
  processes: 10_000,
  /** Entries of a directory that may hold anything. */
  other: 10_000,
} as const;
