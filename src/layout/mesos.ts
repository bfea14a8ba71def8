import { nameOf, parentOf } from '../store/paths.js';
import { CHECKPOINTS } from './root-paths.js';

/** The ids that lead to an executor's run directory. */
export interface MesosIds {
  agent_id: string;
  framework_id: string;
  executor_id: string;
  container_id: string;
}

/**
 * The path from a Mesos agent's work directory to an executor's run directory, which is its sandbox: fixed names and,
 * where this has `undefined`, directories named by ids (mesos: src/slave/paths.cpp). Ids may contain anything but `/`
 * and control characters.
 */
export const MESOS_PATH = [
  'slaves',
  undefined,
  'frameworks',
  undefined,
  'executors',
  undefined,
  'runs',
  undefined,
] as const;

/** The first of them, by which a work directory is recognized. */
export const SLAVES = MESOS_PATH[0];

/** A link beside run directories, or beside an agent's identities, to the newest of them. */
export const LATEST = 'latest';

/** The run directory inside a container with an image. */
export const CONTAINER_SANDBOX = '/mnt/mesos/sandbox';

/** The depth of a run directory in `MESOS_PATH`. */
export const RUN_DEPTH = MESOS_PATH.length;

/** Does a directory with a fixed name in the Mesos tree hold the run directories of an executor? Pure. */
export function holdsRuns(directory: string): boolean {
  return nameOf(directory) === MESOS_PATH.at(-2);
}

/** The ids in the path of a run directory; undefined if it is not in a complete Mesos tree. */
export function mesosIdsOf(runDir: string): MesosIds | undefined {
  const segments = runDir.split('/').slice(-RUN_DEPTH);
  if (segments.length < RUN_DEPTH) return undefined;
  for (const [i, name] of MESOS_PATH.entries()) {
    if (name === undefined ? segments[i] === '' : segments[i] !== name) return undefined;
  }
  const [, agent_id, , framework_id, , executor_id, , container_id] = segments as [
    string,
    string,
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  return { agent_id, framework_id, executor_id, container_id };
}

/** The checkpoint root in a run directory. Pure. */
export function rootInRun(runDir: string): string {
  return `${runDir}/${CHECKPOINTS}`;
}

/** The run directory around a checkpoint root; undefined if the root does not have that name. Pure. */
export function runAroundRoot(root: string): string | undefined {
  return nameOf(root) === CHECKPOINTS ? parentOf(root) : undefined;
}

/** The name that Aurora's executor gives to the sandbox of its task. */
export const SANDBOX = 'sandbox';

/** The sandbox of the task in a run directory. Pure. */
export function sandboxInRun(runDir: string): string {
  return `${runDir}/${SANDBOX}`;
}

/** The place in this run directory of a path that the same container recorded. Pure. */
export function placeInRun(recorded: string, runDir: string): string | undefined {
  const run = `/runs/${nameOf(runDir)}/`;
  const at = recorded.indexOf(run);
  if (at !== -1) return `${runDir}/${recorded.slice(at + run.length)}`;
  return recorded.startsWith(`${CONTAINER_SANDBOX}/`)
    ? `${runDir}${recorded.slice(CONTAINER_SANDBOX.length)}`
    : undefined;
}

/** For a path through `runs/latest`: the directory of the link, and the rest after it. Pure. */
export function splitAtLatest(path: string): { runs: string; rest: string } | undefined {
  const link = `/runs/${LATEST}`;
  const at = path.indexOf(link);
  if (at === -1) return undefined;
  const rest = path.slice(at + link.length);
  return rest === '' || rest.startsWith('/') ? { runs: `${path.slice(0, at)}/runs`, rest } : undefined;
}

/** The work directory whose tree a path is in; undefined if it is not in one. Pure. */
export function workDirAround(path: string): string | undefined {
  const at = path.lastIndexOf(`/${SLAVES}/`);
  return at > 0 ? path.slice(0, at) : undefined;
}

/** What an agent keeps in its work directory. */
export interface AgentPaths {
  /** The tree of the sandboxes. */
  readonly slaves: string;
  /** The state that the agent needs when it is restarted; only the agent's own, even if the sandboxes are shared. */
  readonly meta: string;
  /** Its identities, by their ids. */
  readonly identities: string;
  /** The link to the current identity. */
  readonly latest: string;
  /** The boot in which it last recovered. */
  readonly bootId: string;
  /** The identity as registered. */
  readonly slaveInfo: (agentId: string) => string;
}

/** What an agent keeps in the work directory at a path. Pure. */
export function agentPaths(workDir: string): AgentPaths {
  const meta = `${workDir}/meta`;
  const identities = `${meta}/${SLAVES}`;
  return {
    slaves: `${workDir}/${SLAVES}`,
    meta,
    identities,
    latest: `${identities}/${LATEST}`,
    bootId: `${meta}/boot_id`,
    slaveInfo: (agentId) => `${identities}/${agentId}/slave.info`,
  };
}

/** What an agent records about a run of an executor. */
export interface NotePaths {
  readonly directory: string;
  /** The executor as requested. */
  readonly info: string;
  /** The process that the containerizer started. */
  readonly pid: string;
  /** Made when the agent has seen the end of the executor. */
  readonly sentinel: string;
  /** The status updates of a task that were sent to the framework. */
  readonly updates: (taskId: string) => string;
}

/** What the agent of a work directory records about the run with this directory below it. Pure. */
export function notePaths(workDir: string, runDir: string): NotePaths {
  const notes = `${agentPaths(workDir).meta}${runDir.slice(workDir.length)}`;
  return {
    directory: notes,
    info: `${parentOf(parentOf(notes))}/executor.info`,
    pid: `${notes}/pids/forked.pid`,
    sentinel: `${notes}/executor.sentinel`,
    updates: (taskId) => `${notes}/tasks/${taskId}/task.updates`,
  };
}

/** The executor's own output in its run directory. The reason of a failure is searched for in this order. */
export const EXECUTOR_OUTPUTS = ['stderr', '__main__.log', 'stdout'] as const;

/** Those that the containerizer creates before the executor is started. */
export const FIRST_OUTPUTS = ['stdout', 'stderr'] as const;

/** The log of a runner in its `--log_dir`, which is the run directory. */
export const RUNNER_LOG = 'thermos_runner.log';

/** The file system of a task with an image, in the run directory. */
export const TASK_FILE_SYSTEM = 'taskfs';

/** What an executor leaves in its run directory only after it has started its task. */
export const TRACES_OF_A_TASK: readonly string[] = ['task.json', RUNNER_LOG, SANDBOX, TASK_FILE_SYSTEM];

const EXECUTOR_PREFIX = 'thermos-';

/**
 * The id of the task that an executor of this name runs, as Aurora names them (`thermos-` + task id);
 * undefined for other names: they may run Thermos too, but their name does not say which task.
 */
export function taskIdOfExecutor(executorId: string): string | undefined {
  return executorId.startsWith(EXECUTOR_PREFIX) && executorId.length > EXECUTOR_PREFIX.length
    ? executorId.slice(EXECUTOR_PREFIX.length)
    : undefined;
}
