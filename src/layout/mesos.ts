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
 * The way from a Mesos agent's work directory to an executor's run directory, which is its sandbox: fixed
 * names and, where this says `undefined`, directories named by ids (mesos: src/slave/paths.cpp). Ids may hold
 * anything but `/` and control characters.
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

/** The first of them: what a work directory is known by. */
export const SLAVES = MESOS_PATH[0];

/** A link beside run directories, or beside what an agent knows, to the newest of them. */
export const LATEST = 'latest';

/** What the containerizers call the run directory inside a container with an image. */
export const CONTAINER_SANDBOX = '/mnt/mesos/sandbox';

/** The depth of a run directory in `MESOS_PATH`. */
export const RUN_DEPTH = MESOS_PATH.length;

/** The ids in the path of a run directory, if it stands in a whole Mesos tree. */
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

/** The run directory around a checkpoint root; undefined if the name of the root is not that of one. Pure. */
export function runAroundRoot(root: string): string | undefined {
  return nameOf(root) === CHECKPOINTS ? parentOf(root) : undefined;
}

/** What Aurora's executor calls the sandbox of its task. */
export const SANDBOX = 'sandbox';

/** The sandbox of the task in a run directory. Pure. */
export function sandboxInRun(runDir: string): string {
  return `${runDir}/${SANDBOX}`;
}

/** The place in this run directory that a path recorded by the same container means. Pure. */
export function placeInRun(recorded: string, runDir: string): string | undefined {
  const run = `/runs/${nameOf(runDir)}/`;
  const at = recorded.indexOf(run);
  if (at !== -1) return `${runDir}/${recorded.slice(at + run.length)}`;
  return recorded.startsWith(`${CONTAINER_SANDBOX}/`)
    ? `${runDir}${recorded.slice(CONTAINER_SANDBOX.length)}`
    : undefined;
}

/** Of a path that leads through `runs/latest`: the directory of the link, and what stands after it. Pure. */
export function splitAtLatest(path: string): { runs: string; rest: string } | undefined {
  const link = `/runs/${LATEST}`;
  const at = path.indexOf(link);
  if (at === -1) return undefined;
  const rest = path.slice(at + link.length);
  return rest === '' || rest.startsWith('/') ? { runs: `${path.slice(0, at)}/runs`, rest } : undefined;
}

/** The work directory whose tree a path is in; undefined if it is in none. Pure. */
export function workDirAround(path: string): string | undefined {
  const at = path.lastIndexOf(`/${SLAVES}/`);
  return at > 0 ? path.slice(0, at) : undefined;
}

/** What an agent keeps in its work directory. */
export interface AgentPaths {
  /** The tree of the sandboxes. */
  readonly slaves: string;
  /** What the agent has to know when it is started again; the agent's own, however the sandboxes are shared. */
  readonly meta: string;
  /** What it knows of its identities, by their ids. */
  readonly identities: string;
  /** The link to the identity of now. */
  readonly latest: string;
  /** The boot in which it recovered last. */
  readonly bootId: string;
  /** The identity as it registered. */
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

/** What an agent notes of a run of an executor. */
export interface NotePaths {
  readonly directory: string;
  /** The executor as it was asked for. */
  readonly info: string;
  /** The process that the containerizer started. */
  readonly pid: string;
  /** Made when the agent has seen the end of the executor. */
  readonly sentinel: string;
  /** What was told the framework of a task. */
  readonly updates: (taskId: string) => string;
}

/** What the agent of a work directory notes of the run whose directory is at a path below it. Pure. */
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

/** What the executor itself writes into its run directory: who reads why it failed looks at these in turn. */
export const EXECUTOR_OUTPUTS = ['stderr', '__main__.log', 'stdout'] as const;

/** Those of them that the containerizer makes before the executor is started. */
export const FIRST_OUTPUTS = ['stdout', 'stderr'] as const;

/** What an executor leaves in its run directory only once it has begun its task. */
export const TRACES_OF_A_TASK: readonly string[] = ['task.json', 'thermos_runner.log', SANDBOX, 'taskfs'];

const EXECUTOR_PREFIX = 'thermos-';

/**
 * The id of the task that an executor of this name runs, as Aurora names them (`thermos-` + task id);
 * undefined for other names: they may run Thermos too, only their name doesn't say which task.
 */
export function taskIdOfExecutor(executorId: string): string | undefined {
  return executorId.startsWith(EXECUTOR_PREFIX) && executorId.length > EXECUTOR_PREFIX.length
    ? executorId.slice(EXECUTOR_PREFIX.length)
    : undefined;
}
