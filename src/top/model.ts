/**
 * The types of sampling. A *reading* is what the machine said at one moment; a *sample* is what follows from two of
 * them. What is unknown is undefined, and never 0.
 */
import type { ProcessDetails } from '../host/process-details.js';
import type { ProcessReading, Reading } from '../host/process-readings.js';

export type { ProcessDetails, ProcessReading, Reading };

/** What the cgroup of a container said at one moment; totals are since it was made. */
export interface CgroupReading {
  /** The directory of the cgroup, as on this machine. */
  readonly path: string;
  /** Differs if the cgroup was removed and made again. */
  readonly identity: string;
  /** Its totals are the task's. Else others may have been in it before the task. */
  readonly isWhole: boolean;
  /** The processes in it and below it, in our pid namespace. */
  readonly pids: readonly number[];
  readonly cpuMs?: number;
  readonly throttledMs?: number;
  /** Periods in which it ran with a limit, and those of them in which it reached the limit. */
  readonly periods?: number;
  readonly throttledPeriods?: number;
  readonly oomKills?: number;
  readonly memoryBytes?: number;
  /** Processes and threads, as the limit counts them. */
  readonly pidsCount?: number;
  readonly limits: Limits;
  readonly pressure?: Pressure;
}

export interface Limits {
  /** Cores. */
  readonly cpu?: number;
  readonly memoryBytes?: number;
  /** Processes and threads. */
  readonly pids?: number;
  /** Only of an agent: what its sandbox may occupy. */
  readonly diskBytes?: number;
}

/** For which part of the last ten seconds some of its processes waited (`some avg10`), in per cent. */
export interface Pressure {
  readonly cpu?: number;
  readonly memory?: number;
  readonly io?: number;
}

/** What a task occupies on disk, measured a while ago. */
export interface DiskReading {
  readonly bytes: number;
  /** Not all of it could be counted: there is at least so much. */
  readonly atLeast?: true;
  /** When it was measured, in milliseconds since the epoch. */
  readonly asOfMs: number;
}

/** A run of a process that has not ended, and where its processes begin. */
export interface RunAnchor {
  readonly process: string;
  /** From 0, as in the paths of logs. */
  readonly run: number;
  /** The recorded pid of the command, if it was started; in the pid namespace of its task. */
  readonly pid?: number;
  /**
   * The coordinator and the command, as far as they certainly are the recorded ones. They are absent if the process is
   * gone, or in another pid namespace.
   */
  readonly coordinator?: ProcessIdentity;
  readonly command?: ProcessIdentity;
}

export interface ProcessIdentity {
  readonly pid: number;
  readonly startTimeTicks: number;
}

/** A task to sample. */
export interface SampledTask {
  /** Identifies the task among all: its checkpoint directory. */
  readonly key: string;
  readonly task_id: string;
  readonly root: string;
  /** When it was launched, in milliseconds since the epoch: it distinguishes the task from another one of that id. */
  readonly launchTimeMs?: number;
  /** Of a task on another host. */
  readonly agent?: { readonly id: string; readonly url: string; readonly hostname: string };
  /** Cores, bytes and bytes that its task file asks for. */
  readonly asked: { readonly cpu?: number; readonly ram?: number; readonly disk?: number };
  readonly runs: readonly RunAnchor[];
  /** Its runner, if it certainly is the one. */
  readonly runner?: ProcessIdentity;
  /** Its pids are those of another namespace: only the cgroup of its container has its processes. */
  readonly isForeign: boolean;
  /** /proc hides its processes from us. */
  readonly isHidden: boolean;
  /** Of the container, if Mesos runs it. */
  readonly container_id?: string;
  /** That container has other active tasks, too: nobody knows which of them uses what of it. */
  readonly isShared?: boolean;
  /** Where they are on this machine. */
  readonly sandbox?: string;
  readonly log_dir?: string;
}

/** What else is measured of tasks. Nothing here throws; what cannot be read is undefined. */
export interface TaskMeters {
  /**
   * Prepares to read the cgroups of these tasks at this moment. The answer reads that of one: `pids` are those of its
   * processes that are known, none of a foreign task.
   */
  cgroups?(
    reading: Reading,
    tasks: readonly SampledTask[],
  ): (task: SampledTask, pids: readonly number[]) => CgroupReading | undefined;
  /** The last measurement of the task's disk; begins another if that is due, and does not wait for it. */
  disk?(task: SampledTask): DiskReading | undefined;
}

/** What was used in an interval, by a task or one of its processes. */
export interface Usage {
  /** Cores, over the interval. Undefined without two readings, or if processes could not be seen. */
  readonly cpu?: number;
  readonly rssBytes?: number;
  readonly threads?: number;
  /** How many operating system processes there are. */
  readonly pids?: number;
  readonly fds?: number;
  readonly pssBytes?: number;
  /** In the interval, from and to storage. */
  readonly readBytes?: number;
  readonly writtenBytes?: number;
}

export interface ProcessSample extends Usage {
  readonly process: string;
  readonly run: number;
  readonly pid?: number;
}

export interface TaskSample extends Usage {
  readonly task: SampledTask;
  /** Of its processes that run. */
  readonly processes: readonly ProcessSample[];
  readonly disk?: DiskReading;
  /** Those of its cgroup, in the interval. */
  readonly throttledMs?: number;
  /** The part of the periods of its limit in which it reached the limit, from 0 to 1. */
  readonly throttledShare?: number;
  /** Since the cgroup was made. */
  readonly oomKills?: number;
  /** How many processes and threads are in its cgroup. */
  readonly pidsCount?: number;
  readonly limits?: Limits;
  readonly pressure?: Pressure;
}

export interface Sample {
  readonly timeMs: number;
  /** Between the two readings, by the monotonic clock. */
  readonly intervalMs: number;
  readonly tasks: readonly TaskSample[];
}
