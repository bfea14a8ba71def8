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
