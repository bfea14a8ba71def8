/**
 * How many entries of a directory are read. Any user who may write to a directory may fill it, at the cost of everybody
 * who reads it. No real tree comes near these numbers, and a cut listing is reported.
 */
export const MOST_ENTRIES = {
  /** Task files or checkpoint directories of a bare root: weeks of a busy host. */
  tasks: 100_000,
  /** The same in an executor's sandbox, which holds one task, or a few. */
  tasksInSandbox: 1_000,
  /** Directories of one level of the Mesos tree: agents, frameworks, executors, runs. */
  mesosLevel: 100_000,
  /** Directories of the runs of one process: a daemon may be restarted for years. */
  runs: 10_000,
  /** Files of one run: its logs and their backups. */
  runFiles: 1_000,
  /** Directories of processes in a log directory. */
  processes: 10_000,
  /** Entries of a directory that may hold anything. */
  other: 10_000,
} as const;
