import type { CheckpointRecord, TaskState } from '../checkpoint/records.js';
import type { CheckpointWriter } from '../checkpoint/writer.js';
import type { Problem } from '../errors/problem.js';
import type { LoggerPolicy, RunnableTask } from './task-document.js';

/** The programs that watch a process of a task, absolute. */
export interface CoordinatorPrograms {
  /** `dist/coordinator.cjs`, which runs wherever Node does. */
  readonly script: string;
  /** `dist/coordinator`, the same in C, if it was built. */
  readonly native?: string;
  /** It is an error if `native` cannot be used. Default false: then `script` is. */
  readonly nativeOnly?: boolean;
}

/** Runs the command lines of a task in its image: `mesos-containerizer`, as Aurora's executor uses it. */
export interface Containerizer {
  readonly path: string;
  /** The root of the image on this host. */
  readonly rootfs: string;
  /** Where the image has the sandbox; absolute. */
  readonly sandbox: string;
  /** It takes `--launch_info`, from Mesos 1.2 on; before, one flag for each part. */
  readonly takesLaunchInfo: boolean;
}

/** How the processes of a task are run. Defaults are those of the original. */
export interface RunSettings {
  coordinator: CoordinatorPrograms;
  /** Milliseconds since the epoch. */
  now: () => number;
  /** Creates the writer of a stream; default CheckpointWriter. For tests that interrupt it. */
  writer?: (fd: number) => CheckpointWriter;
  /** Command lines run with the sandbox as `/`; needs root. Default false. */
  chroot?: boolean;
  /** Processes get the runner's whole environment, not only HOME, LOGNAME, USER and PATH. Default false. */
  preserveEnv?: boolean;
  /** Of command lines. Default: the one that we were started with. The runner's own files do not depend on it. */
  umask?: number;
  /** The soft limit of open files of command lines. Default: ours. */
  openFiles?: number;
  /** For processes whose config does not set it. */
  logger?: Partial<LoggerPolicy>;
  /** Command lines run in the task's image. Default: in no image. */
  containerizer?: Containerizer;
  /** Maximum number of runs of one process, however they end. Default 100. */
  maxRuns?: number;
  /** Never wait longer than this for an end of a shortage, see `judgeShortage`. Default: as long as that says. */
  patienceMs?: number;
  /** Our descriptors for the `console` output of processes. Default: none, it is discarded. */
  console?: { stdout: number; stderr: number };
}

/** A task to be run. */
export interface NewTask {
  /** The checkpoint root; created if missing. */
  root: string;
  taskId: string;
  task: RunnableTask;
  /** Absolute; created if missing. */
  sandbox: string;
  /** Default `SANDBOX/.logs`. */
  logDir?: string;
  /** A user name. Default: our own user. */
  user?: string;
  /** Default: that of this machine. */
  hostname?: string;
  ports?: Readonly<Record<string, number>>;
}

export interface KillRequest {
  /** The final state of the task. */
  state: 'KILLED' | 'LOST';
  /**
   * Seconds for processes to end after SIGTERM and for final processes to run, 60 by default as in the original; 0: run
   * no final processes and kill running ones.
   */
  wait?: number;
  /** Like the original's `kill`: SIGKILL to everything, no CLEANING, no final processes. */
  now?: boolean;
  /** What asks for it, for the reasons that are kept, and the user who does if that is known. */
  asked?: { what: string; by?: string };
}

/** Callbacks for events as they happen, in the order of the stream. Must not throw. */
export interface RunnerEvents {
  /** A record is durable. */
  record?: (record: CheckpointRecord) => void;
  /** A process could not be started, a signal could not be sent … also in the outcome. */
  problem?: (problem: Problem) => void;
  /** A remark for those who look for the cause of a problem. */
  note?: (text: string) => void;
}

export interface Outcome {
  /** SUCCESS, FAILED, KILLED or LOST. */
  state: TaskState;
  problems: Problem[];
}

/** A task whose lock we hold. Nothing is written to its stream and nothing is started before `run`. */
export interface Runner {
  readonly root: string;
  readonly taskId: string;
  readonly sandbox: string;
  readonly logDir: string;
  readonly task: RunnableTask;
  /** The stream existed: the task continues from its last record. */
  readonly resumed: boolean;
  /**
   * Runs the task to its end. Before this returns, the first records (state with our pid, header) are on disk or the
   * promise is rejected. Rejects with SystemError `checkpoint-write-failed` if a record cannot be written: processes
   * keep running, and the task can be resumed. Call it once.
   */
  run(): Promise<Outcome>;
  /** Ends the task, before or while it runs. Of several requests the most urgent counts. */
  kill(request: KillRequest): void;
  /** Releases the lock if `run` will not be called; removes all files of a new task. */
  close(): void;
}
