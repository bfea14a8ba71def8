import { type Answer, failure, jsonAnswer, type Query } from './answer.js';
import { isBefore, jsonOf } from './bytes.js';
import { Files, type ReadFileCall } from './files.js';
import type { Sandbox } from './sandboxes.js';

export interface AgentOptions {
  id: string;
  /** Of Mesos; the newest if it is not given. */
  version?: string;
  hostname?: string;
  /** As the agent names it. */
  workDir?: string;
  sandboxes?: readonly Sandbox[];
}

/** What can go wrong with an agent. Tests change it between calls. */
export interface Knobs {
  /** It has just started and does not know its executors yet. */
  isRecovering: boolean;
  /** Whom it asks for a name and a secret: nobody if there are none. */
  credentials: { principal: string; secret: string } | undefined;
  /** The realm in which it asks for them; in both if it is not given. */
  asksIn: 'readonly' | 'readwrite' | undefined;
  /** Which paths its access list forbids. */
  forbids: (path: string) => boolean;
  /** How long it takes for each call. */
  latencyMs: number;
  /** The header by which it knows who asks, instead of a name and a secret: as the proxy of DC/OS. */
  authorization: string | undefined;
  /** The answer that it gives instead of its own; undefined: its own. */
  instead: (call: Call) => Answer | undefined;
  /** What it waits for before it answers. */
  waits: (call: Call) => Promise<void>;
  /** Happens between its look at a file and the sending of what is in it. */
  meanwhile: (call: Call) => void;
  /** By how much its clock is ahead. */
  aheadMs: number;
  /** After how many bytes of the body the connection breaks; undefined: it does not. */
  cutAfter: (call: Call) => number | undefined;
  /** What GET_TASKS says of the end of the task of an executor that is over. */
  ending: (sandbox: Sandbox) => { reason?: string; message?: string; timestamp?: number };
  /** What `/monitor/statistics` says about a container. */
  statistics: (sandbox: Sandbox) => Record<string, number>;
}

/** A call as it reached an agent or a master. */
export interface Call {
  /** Without the prefix of a proxy, without `.json`. */
  endpoint: string;
  query: Query;
  authorization: string | undefined;
  /** Of a POST: the body. */
  body?: string;
  contentType?: string | undefined;
}

type OperatorCall =
  | { type: 'READ_FILE'; read_file: ReadFileCall }
  | { type: 'LIST_FILES'; list_files: { path: string } }
  | { type: 'GET_TASKS' };

const CALLS: ReadonlySet<string> = new Set([
  'READ_FILE',
  'LIST_FILES',
  'GET_TASKS',
] satisfies OperatorCall['type'][]);

/** The realm of `/state`, `/monitor/statistics` and `/files`. */
const REALM = 'mesos-agent-readonly';
/** That of `/api/v1`. */
const CALLS_REALM = 'mesos-agent-readwrite';

/** An agent of Mesos: it serves the files of its sandboxes, and tells which there are. */
export class Agent {
  readonly id: string;
  readonly version: string;
  readonly hostname: string;
  readonly workDir: string;
  readonly files: Files;
  readonly knobs: Knobs = {
    isRecovering: false,
    credentials: undefined,
    asksIn: undefined,
    forbids: () => false,
    latencyMs: 0,
    authorization: undefined,
    instead: () => undefined,
    waits: async () => {},
    meanwhile: () => {},
    aheadMs: 0,
    cutAfter: () => undefined,
    ending: () => ({}),
    statistics: () => ({
      cpus_limit: 1,
      mem_limit_bytes: 134217728,
      mem_rss_bytes: 10485760,
      timestamp: 1403819237.307,
    }),
  };
  /** The calls that it was asked, oldest first. */
  readonly calls: Call[] = [];
  /** Where it listens, once it does. */
  address = { ip: '127.0.0.1', port: 5051 };
  readonly #sandboxes: Sandbox[] = [];

  constructor({
    id,
    version = '1.11.0',
    hostname = 'localhost',
    workDir = '/var/lib/mesos',
    sandboxes = [],
  }: AgentOptions) {
    this.id = id;
    this.version = version;
    this.hostname = hostname;
    this.workDir = workDir;
    this.files = new Files(version);
    for (const sandbox of sandboxes.toReversed()) this.launch(sandbox);
  }

  get pid(): string {
    return `slave(1)@${this.address.ip}:${this.address.port}`;
  }

  /** Takes a run as the newest one of its executor. */
  launch(sandbox: Sandbox): void {
    this.#sandboxes.unshift({ ...sandbox });
    this.files.attach(sandbox.path, sandbox.directory);
    if (!isBefore(this.version, '1.4.0')) this.files.attach(sandbox.path, latestOf(sandbox));
    if (!isBefore(this.version, '1.5.0')) this.files.attach(sandbox.path, virtualPathOf(sandbox));
  }

  /** Its executor ends; the files stay. */
  terminate(containerId: string): void {
    this.#find(containerId).isRunning = false;
  }

  /** The files are collected: nobody can read them any more, though the agent remembers the executor. */
  collect(containerId: string): void {
    const sandbox = this.#find(containerId);
    this.files.detach(sandbox.directory);
    this.files.detach(latestOf(sandbox));
    this.files.detach(virtualPathOf(sandbox));
  }

  #find(containerId: string): Sandbox {
    const found = this.#sandboxes.find((each) => each.containerId === containerId);
    if (found === undefined) throw new Error(`${this.id} has no container ${containerId}`);
    return found;
  }

  answer(call: Call): Answer {
    const { query } = call;
    const instead = this.knobs.instead(call);
    if (instead !== undefined) return instead;
    const refusal = this.#refusal(call);
    if (refusal !== undefined) return refusal;
    switch (call.endpoint) {
      case '/state':
        return this.#state(query);
      case '/monitor/statistics':
        return this.#statistics(query);
      case '/containers':
        return isBefore(this.version, '1.0.0') ? failure(404) : this.#containers(query);
      case '/metrics/snapshot':
        return this.#metrics(query);
      case '/files/browse':
        return this.files.browse(query);
      case '/files/read':
        return this.files.read(query);
      case '/files/download':
        return this.files.download(query);
      case '/api/v1':
        return this.#call(call);
      case '/files/debug':
        return this.files.debug(query);
      default:
        return failure(404);
    }
  }

  /** A call of the operator API, which is there from 1.0 on. */
  #call({ body = '', contentType }: Call): Answer {
    if (isBefore(this.version, '1.0.0')) return failure(404);
    if (contentType !== 'application/json')
      return failure(415, 'Expecting Content-Type of application/json.');
    const call = JSON.parse(body) as OperatorCall;
    if (!CALLS.has(call.type)) return failure(400, 'Failed to validate agent::Call: unknown type');
    if (call.type === 'LIST_FILES') {
      if (this.knobs.isRecovering) return failure(503, 'Agent has not finished recovery');
      const { list_files } = call;
      return this.knobs.forbids(list_files.path) ? failure(403) : this.files.listCall(list_files);
    }
    if (isBefore(this.version, '1.1.0')) return failure(501);
    if (this.knobs.isRecovering) return failure(503, 'Agent has not finished recovery');
    if (call.type === 'GET_TASKS') return jsonAnswer(jsonOf(this.#toldTasks()), new Map(), this.version);
    return this.knobs.forbids(call.read_file.path) ? failure(403) : this.files.readCall(call.read_file);
  }

  #refusal({ authorization, query, endpoint }: Call): Answer | undefined {
    const { credentials, forbids, asksIn } = this.knobs;
    const realm = endpoint === '/api/v1' ? CALLS_REALM : REALM;
    const isAsked = asksIn === undefined || realm.endsWith(asksIn);
    const header = this.knobs.authorization;
    if ((credentials !== undefined || header !== undefined) && isAsked) {
      const { principal, secret } = credentials ?? {};
      const expected = header ?? `Basic ${Buffer.from(`${principal}:${secret}`).toString('base64')}`;
      if (authorization !== expected) {
        return { status: 401, headers: { 'WWW-Authenticate': `Basic realm="${realm}"` }, body: '' };
      }
    }
    const path = query.get('path');
    return path !== undefined && forbids(path) ? failure(403) : undefined;
  }

  #state(query: Query): Answer {
    const { isRecovering } = this.knobs;
    if (isRecovering && !isBefore(this.version, '0.28.0')) {
      return failure(503, 'Agent has not finished recovery');
    }
    const sandboxes = isRecovering ? [] : this.#sandboxes;
    const frameworks = [...new Set(sandboxes.map(({ frameworkId }) => frameworkId))];
    const state = {
      version: this.version,
      build_date: '2020-11-03 00:00:00',
      build_time: 1604361600,
      build_user: 'root',
      start_time: 1604400000.25,
      id: this.id,
      pid: this.pid,
      hostname: this.hostname,
      resources: RESOURCES,
      attributes: {},
      master_hostname: 'localhost',
      log_dir: '/var/log/mesos',
      flags: {
        gc_delay: '1weeks',
        gc_disk_headroom: '0.1',
        hostname: this.hostname,
        log_dir: '/var/log/mesos',
        port: String(this.address.port),
        sandbox_directory: '/mnt/mesos/sandbox',
        work_dir: this.workDir,
      },
      frameworks: frameworks.map((id) => this.#framework(id)),
      completed_frameworks: [],
    };
    return jsonAnswer(jsonOf(state), query, this.version);
  }

  #framework(id: string) {
    const own = this.#sandboxes.filter(({ frameworkId }) => frameworkId === id);
    const executors = (areRunning: boolean) =>
      own.filter(({ isRunning }) => isRunning === areRunning).map((sandbox) => this.#executor(sandbox));
    return {
      id,
      name: 'aurora',
      user: 'root',
      failover_timeout: 1814400,
      checkpoint: true,
      hostname: 'localhost',
      role: '*',
      executors: executors(true),
      completed_executors: executors(false),
    };
  }

  #executor(sandbox: Sandbox) {
    const { executorId, containerId, directory, isRunning } = sandbox;
    const task = this.#task(sandbox);
    return {
      id: executorId,
      name: EXECUTOR_NAME,
      source: sourceOf(executorId),
      container: containerId,
      directory,
      resources: RESOURCES,
      role: '*',
      type: 'CUSTOM',
      tasks: isRunning ? [task] : [],
      queued_tasks: [],
      completed_tasks: isRunning ? [] : [task],
    };
  }

  #task({ executorId, frameworkId, isRunning }: Sandbox) {
    const state = isRunning ? 'TASK_RUNNING' : 'TASK_FINISHED';
    return {
      id: taskIdOf(executorId),
      name: sourceOf(executorId),
      framework_id: frameworkId,
      executor_id: executorId,
      slave_id: this.id,
      state,
      resources: RESOURCES,
      statuses: [{ state, timestamp: 1604400001.5 }],
    };
  }

  /** As its protocol has them: with the reasons and messages that `/state` leaves out, and no field for an empty list. */
  #toldTasks() {
    const tasks = (running: boolean) =>
      this.#sandboxes
        .filter(({ isRunning }) => isRunning === running)
        .map((sandbox) => {
          const { id, name, framework_id, executor_id, slave_id, state, statuses } = this.#task(sandbox);
          const ending = running ? undefined : this.knobs.ending(sandbox);
          return {
            ...{ task_id: { value: id }, name, framework_id: { value: framework_id } },
            ...{ executor_id: { value: executor_id }, agent_id: { value: slave_id }, state },
            statuses: statuses.map((status) => ({
              ...{ task_id: { value: id }, agent_id: { value: slave_id }, source: 'SOURCE_AGENT' },
              ...status,
              ...ending,
            })),
          };
        });
    const [launched_tasks, completed_tasks] = [tasks(true), tasks(false)];
    return {
      type: 'GET_TASKS',
      get_tasks: {
        ...(launched_tasks.length > 0 ? { launched_tasks } : {}),
        ...(completed_tasks.length > 0 ? { completed_tasks } : {}),
      },
    };
  }

  /** The tasks of its executors, as a master lists them. */
  get tasks() {
    return this.#sandboxes.map((sandbox) => this.#task(sandbox));
  }

  /** From 1.0 on: as the statistics, with what the containerizer knows. */
  #containers(query: Query): Answer {
    const wanted = query.get('container_id');
    const rows = this.#sandboxes
      .filter(({ isRunning, containerId }) => isRunning && (wanted ?? containerId) === containerId)
      .map((sandbox) => ({
        container_id: sandbox.containerId,
        executor_id: sandbox.executorId,
        executor_name: EXECUTOR_NAME,
        framework_id: sandbox.frameworkId,
        source: sourceOf(sandbox.executorId),
        statistics: this.knobs.statistics(sandbox),
        status: { container_id: { value: sandbox.containerId }, executor_pid: 4711 },
      }));
    return jsonAnswer(jsonOf(rows), query, this.version);
  }

  #metrics(query: Query): Answer {
    const running = this.#sandboxes.filter(({ isRunning }) => isRunning).length;
    const metrics = {
      'slave/executors_running': running,
      'slave/executors_terminated': this.#sandboxes.length - running,
      'slave/registered': this.knobs.isRecovering ? 0 : 1,
      'slave/tasks_running': running,
      'slave/uptime_secs': 3600.5,
      'system/cpus_total': 8,
      'system/load_1min': 0.5,
    };
    return jsonAnswer(jsonOf(metrics), query, this.version);
  }

  #statistics(query: Query): Answer {
    return jsonAnswer(jsonOf(this.#uses()), query, this.version);
  }

  #uses() {
    return this.#sandboxes
      .filter(({ isRunning }) => isRunning)
      .map((sandbox) => ({
        executor_id: sandbox.executorId,
        executor_name: EXECUTOR_NAME,
        framework_id: sandbox.frameworkId,
        source: sourceOf(sandbox.executorId),
        statistics: this.knobs.statistics(sandbox),
      }));
  }
}

const RESOURCES = { cpus: 0.25, disk: 128, gpus: 0, mem: 128, ports: '[31000-31002]' };
const EXECUTOR_NAME = 'AuroraExecutor';

function latestOf({ directory }: Sandbox): string {
  return directory.replace(/[^/]*$/, 'latest');
}

function virtualPathOf({ frameworkId, executorId }: Sandbox): string {
  return `/frameworks/${frameworkId}/executors/${executorId}/runs/latest`;
}

function taskIdOf(executorId: string): string {
  return executorId.replace(/^thermos-/, '');
}

/** Aurora's word for a job's instance: `role.env.job.instance`. A role or an environment has no hyphen here. */
function sourceOf(executorId: string): string {
  const parts = /^([^-]+)-([^-]+)-(.+)-(\d+)-[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/.exec(
    taskIdOf(executorId),
  );
  return parts === null ? executorId : parts.slice(1).join('.');
}
