import type { AgentState, ExecutorRun } from '../../agent/answers.js';
import { findTasks, rootOf, taskIn } from '../../agent/find.js';
import { Lane } from '../../agent/lane.js';
import { RemoteTask } from '../../agent/remote-task.js';
import { Sandbox } from '../../agent/sandbox.js';
import type { FoundTask } from '../../discovery/found.js';
import { taskIdOfExecutor } from '../../layout/mesos.js';
import { isName } from '../../layout/names.js';
import { isOver } from '../../task/condition.js';
import type { TaskView } from '../../task/view.js';
import { agentsOf, BrowserAgentClient, type Load } from './client.js';

/** What an agent was asked last, and how it answered. */
export interface AgentRow {
  /** Its address. */
  readonly base: string;
  readonly hostname: string;
  readonly answer: 'asked' | 'ok' | 'none';
  /** How many runs its answer has that cannot be shown. */
  readonly leftOut: number;
}

/** A task, or the sandbox of an executor whose tasks are not known yet. */
export interface TaskRow {
  /** Unique, and the same each time. */
  readonly key: string;
  readonly agent: AgentRow;
  readonly run: ExecutorRun;
  readonly task_id: string;
  /** Undefined until it was read, or if its agent does not list the sandbox. */
  readonly view?: TaskView;
  readonly refused?: boolean;
}

interface FleetRun {
  run: ExecutorRun;
  tasks?: readonly { found: FoundTask; reader: RemoteTask; view?: TaskView }[];
  refused: boolean;
  /** How often it was. */
  refusals: number;
  /** Its executor ended since it was read, which has a say in the verdict of its tasks. */
  stale?: boolean;
}

interface AgentEntry {
  readonly client: BrowserAgentClient;
  /** Of sandboxes that are read at once: what was read of them is in memory. */
  readonly reading: Lane;
  row: AgentRow;
  readonly runs: Map<string, FleetRun>;
  /** Where else it may be reached. */
  readonly others: string[];
}

export interface FleetPorts {
  /** How to ask the agent or master with this address. */
  loadFrom: (base: string) => Load;
  /** Called when rows have changed; often. */
  changed: () => void;
  /** Resolves after a number of milliseconds. */
  pause: (ms: number) => Promise<unknown>;
}

const AT_ONCE = 8;
const MOST_REFUSALS = 3;

/** An agent that takes longer does not keep the others waiting. */
const PATIENCE_MS = 1000;

/** The tasks of some agents, read again each round. Pure except for its ports. */
export class Fleet {
  readonly #ports: FleetPorts;
  readonly #agents = new Map<string, AgentEntry>();
  /** The addresses that did not answer, though another one of the same agent did or may. */
  readonly #left = new Set<string>();
  /** The masters that did not answer. */
  readonly silent = new Set<string>();

  constructor(ports: FleetPorts) {
    this.#ports = ports;
  }

  get agents(): readonly AgentRow[] {
    return [...this.#agents.values()].map(({ row }) => row);
  }

  /** Of all agents that answered, in no order. */
  get tasks(): readonly TaskRow[] {
    return [...this.#agents.values()].flatMap(rowsOf);
  }

  /** Of the tasks that were found, how many are still to be read. */
  get unread(): number {
    return this.tasks.filter(({ view, refused }) => view === undefined && refused !== true).length;
  }

  add(base: string, hostname = base.replace(/^https?:\/\//, ''), others: readonly string[] = []): void {
    if (this.#agents.has(base) || this.#left.has(base)) return;
    const row: AgentRow = { base, hostname, answer: 'asked', leftOut: 0 };
    const client = new BrowserAgentClient(base, this.#ports.loadFrom(base));
    this.#agents.set(base, { client, reading: new Lane(AT_ONCE), row, runs: new Map(), others: [...others] });
  }

  /** Adds the agents that a master lists; it joins `silent` if it does not answer. */
  async addFrom(master: string): Promise<void> {
    try {
      const scheme = master.slice(0, master.indexOf('//') + 2);
      for (const { hostname, places } of await agentsOf(master, this.#ports.loadFrom(master))) {
        const [first = '', ...others] = places.map((place) => scheme + place);
        this.add(first, hostname, others);
      }
      this.silent.delete(master);
    } catch {
      this.silent.add(master);
    }
    this.#ports.changed();
  }

  /** Asks all agents for their sandboxes, and reads the tasks that may have changed. Never rejects. */
  async round(): Promise<void> {
    // All sandboxes first: then there is a list.
    const asked = [...this.#agents.values()].map((agent) => this.#ask(agent));
    await Promise.race([Promise.all(asked), this.#ports.pause(PATIENCE_MS)]);
    await Promise.all(
      asked.map(async (asking) => {
        const agent = await asking;
        if (agent === undefined) return;
        const reads = toRead(agent).map((run) => agent.reading.run(() => this.#read(agent, run)));
        await Promise.all(reads);
      }),
    );
  }

  /** The agent if it answered, maybe by another address. */
  async #ask(agent: AgentEntry): Promise<AgentEntry | undefined> {
    let state: AgentState;
    try {
      state = await agent.client.state();
    } catch {
      const other = agent.others.shift();
      if (other !== undefined && agent.row.answer !== 'ok') {
        this.#agents.delete(agent.row.base);
        this.#left.add(agent.row.base);
        this.add(other, agent.row.hostname, agent.others);
        const entry = this.#agents.get(other);
        return entry === undefined ? undefined : await this.#ask(entry);
      }
      agent.row = { ...agent.row, answer: 'none' };
      this.#ports.changed();
      return undefined;
    }
    const hostname = state.hostname === '' ? agent.row.hostname : state.hostname;
    agent.row = { ...agent.row, hostname, answer: 'ok', leftOut: state.leftOut };
    takeRuns(agent, state.runs);
    this.#ports.changed();
    return agent;
  }

  async #read(agent: AgentEntry, state: FleetRun): Promise<void> {
    state.stale = false;
    const sandbox = new Sandbox(agent.client, state.run.directory);
    if (await glance(sandbox, state)) {
      this.#ports.changed();
      return;
    }
    const listed = await findTasks(sandbox);
    const found = listed === 'absent' ? [] : listed;
    state.refused = found === 'refused';
    if (state.refused) state.refusals += 1;
    if (found !== 'refused') {
      const known = new Map(state.tasks?.map((task) => [task.found.task_id, task]));
      state.tasks = found.map((task) => {
        const { reader, view } = known.get(task.task_id) ?? {};
        return { found: task, reader: reader ?? new RemoteTask(task, { history: false }), view };
      });
      for (const task of state.tasks) {
        task.view = await task.reader.read(sandbox, task.found, state.run.running);
      }
    }
    this.#ports.changed();
  }

  /** One task with everything that is known about it, read again on each call. */
  source(row: TaskRow): { read: () => Promise<{ view: TaskView; sandbox: Sandbox } | undefined> } {
    const { run } = row;
    let reader: RemoteTask | undefined;
    const read = async () => {
      const agent = this.#agents.get(row.agent.base);
      if (agent === undefined) return undefined;
      const sandbox = new Sandbox(agent.client, run.directory, true);
      const tasks = await findTasks(sandbox);
      const found =
        typeof tasks === 'string' ? undefined : tasks.find(({ task_id }) => task_id === row.task_id);
      if (found === undefined) return undefined;
      reader ??= new RemoteTask(found, { history: true });
      const running = agent.runs.get(run.directory)?.run.running;
      return { view: await reader.read(sandbox, found, running), sandbox };
    };
    return { read };
  }
}

/** Reads the one task of an executor that is named after it, as Aurora names them; false if that needs a closer look. */
async function glance(sandbox: Sandbox, state: FleetRun): Promise<boolean> {
  const { run, tasks } = state;
  const task_id = taskIdOfExecutor(run.executorId);
  if (task_id === undefined || !isName(task_id) || (tasks !== undefined && tasks.length !== 1)) return false;
  const [known] = tasks ?? [];
  const found = known?.found ?? taskIn(rootOf(run.directory), task_id);
  const reader = known?.reader ?? new RemoteTask(found, { history: false });
  const view = await reader.glance(sandbox, run.running ? 'active' : 'finished', run.running);
  if (view === undefined) return false;
  state.tasks = [{ found: view.found, reader, view }];
  state.refused = false;
  return true;
}

/** What the agent no longer lists is forgotten. */
function takeRuns({ runs }: AgentEntry, listed: readonly ExecutorRun[]): void {
  const before = new Map(runs);
  runs.clear();
  for (const run of listed) {
    const known = before.get(run.directory);
    const stale = known !== undefined && (known.stale || known.run.running !== run.running);
    runs.set(run.directory, { refused: false, refusals: 0, ...known, run, stale });
  }
}

/** What the executor of a sandbox left no longer changes, and what is not given is asked for a few times. */
function isDone({ run, tasks, stale, refusals }: FleetRun): boolean {
  if (stale === true) return false;
  if (!run.running) return tasks !== undefined || refusals >= MOST_REFUSALS;
  return tasks !== undefined && tasks.length > 0 && tasks.every(({ view }) => view && isOver(view));
}

/** The sandboxes that may have changed: at first those of failed tasks, then those whose executors run. */
function toRead({ runs }: AgentEntry): FleetRun[] {
  const rank = ({ tasks, run }: FleetRun) =>
    tasks !== undefined ? 3 : run.mesosState === 'TASK_FAILED' ? 0 : run.running ? 1 : 2;
  return [...runs.values()].filter((run) => !isDone(run)).sort((a, b) => rank(a) - rank(b));
}

function rowsOf({ row: agent, runs }: AgentEntry): TaskRow[] {
  if (agent.answer !== 'ok') return [];
  return [...runs.values()].flatMap(({ run, tasks, refused }): TaskRow[] => {
    const key = (task_id: string) => `${agent.base} ${run.directory} ${task_id}`;
    if (tasks !== undefined && !refused) {
      return tasks.map(({ found: { task_id }, view }) => ({ key: key(task_id), agent, run, task_id, view }));
    }
    const task_id = taskIdOfExecutor(run.executorId);
    return task_id === undefined ? [] : [{ key: key(task_id), agent, run, task_id, refused }];
  });
}
