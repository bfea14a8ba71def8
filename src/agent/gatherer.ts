import { isTerminalTaskState } from '../checkpoint/records.js';
import type { Mode } from '../discovery/find.js';
import type { Discovery, FoundTask, RemoteAgent, TaskRoot } from '../discovery/found.js';
import type { Selection } from '../discovery/select.js';
import { compareTasks } from '../discovery/tasks.js';
import type { Problem } from '../errors/problem.js';
import { taskIdOfExecutor } from '../layout/mesos.js';
import { phasePath, rootPaths } from '../layout/root-paths.js';
import { isWithin } from '../store/paths.js';
import { isOver } from '../task/condition.js';
import type { TaskGatherer, TaskSearch, TaskSource } from '../task/gatherer.js';
import type { TaskView } from '../task/view.js';
import { duration } from '../text/age.js';
import { type AgentFiles, NOT_LISTED } from './agent-files.js';
import type { AgentState, ExecutorRun } from './answers.js';
import type { MesosEnding } from './endings.js';
import { failureIn, problemOf } from './failure.js';
import { findTaskOf, findTasks, rootOf, taskIn } from './find.js';
import { eachAtOnce } from './lane.js';
import { RemoteTask } from './remote-task.js';
import { type Listed, looksOf, Sandbox } from './sandbox.js';
import { selectRemote } from './select.js';
import type { Statistics } from './statistics.js';

/** One agent, as its client asks it. */
export interface AgentPort extends AgentFiles {
  /** Its address. */
  readonly base: string;
  /** What it runs; rejects with AgentFailure. `aheadMs`: by how much its clock is ahead of ours, if it says so. */
  state(): Promise<{ state: AgentState; aheadMs?: number }>;
  /** What its containers use; rejects with AgentFailure. */
  statistics(): Promise<Statistics>;
  /** How the tasks ended that it remembers, by their ids, as far as it tells it; rejects with AgentFailure. */
  endings(): Promise<ReadonlyMap<string, MesosEnding>>;
}

/** The agents that are asked, and what was wrong with finding them. */
export interface ChosenAgents {
  readonly ports: readonly AgentPort[];
  readonly problems: readonly Problem[];
}

/** Finds agents. */
export interface AgentSource {
  /** The masters that list them, as far as a command that asks them again has to name them. */
  readonly masters?: readonly string[] | undefined;
  /** Those that may have what the words mean; all of them without words. The port of an agent stays the same. */
  agentsFor(words: readonly string[]): Promise<ChosenAgents>;
  /** What a word means among the tasks of these agents, if that is not the word itself. */
  meaningOf?(word: string): string;
}

/** How far the agents have been asked. */
export interface AgentCounts {
  asked: number;
  failed: number;
  total: number;
}

/** Agents that are asked at the same time. */
const MOST_AGENTS = 64;
/** Views that are read before they are taken: of more, most would be old to the garbage collector before they are. */
const AHEAD = 64;
/** In so many looks, what cannot change any more is looked at once. */
const LOOKS = 256;
/** So many tasks of which nothing has changed for a while are listed in each look; if there are more, they take turns. */
const MOST_QUIET = 4000;
const QUIET_MS = 60_000;
/** In so many looks, the whole sandbox of a task of which nothing changes is looked at once. */
const CLOSE_LOOKS = 32;
/** Sandboxes of an agent that are listed at the same time: by two calls each, which are sent together. */
const MOST_RUNS = 6;
/** A state of an agent that is this young is not asked for again: the agent makes it in its one thread. */
const FRESH_MS = 900;
/** The header with its time has whole seconds, and the answer was on its way. */
export const SKEW_MS = 10_000;

interface KnownTask {
  found: FoundTask;
  /** Until it is settled. */
  reader?: RemoteTask;
  /** As long as its directory is as it was when it was read; for good if it cannot change any more. */
  view?: TaskView;
  isSettled?: boolean;
}

interface KnownRun {
  run: ExecutorRun;
  root: TaskRoot;
  /** What is in the directory of its only task: if that stays, nothing of the task has changed. */
  only?: Listed;
  /** What is in that of its task file. */
  phase?: Listed;
  /** In how many looks that stayed. */
  stays: number;
  /** Of the last look that had to list it. */
  sandbox: Sandbox;
  /** The agent listed it, and it is a task root. */
  isRoot: boolean;
  tasks: KnownTask[];
}

interface TaskOrigin {
  readonly agent: RemoteHost;
  readonly run: KnownRun;
  readonly task: KnownTask;
}

/** The tasks of some agents of Mesos. */
export class AgentTasks implements TaskGatherer {
  readonly #source: AgentSource;
  readonly #now: () => number;
  /** All that have been asked. */
  readonly #known = new Map<AgentPort, RemoteHost>();
  /** Those of the last look. */
  #hosts: readonly RemoteHost[] = [];
  #problemsOfSource: readonly Problem[] = [];
  readonly #origins = new WeakMap<FoundTask, TaskOrigin>();
  readonly #counted: (counts: AgentCounts) => void;
  readonly #access: readonly string[] | undefined;
  #look = 0;
  readonly #tasks = new Sorter(compareTasks);
  readonly #roots = new Sorter(compareRoots);
  /** In how many looks each of the quiet tasks is listed once. */
  #turns = 1;
  /** It will look again, so that it pays to remember what was read. */
  #remembers = false;

  /** `now`: our clock. `counted`: called when another agent has been asked. `access`: the flags that an advised command needs besides the addresses. */
  constructor(
    agents: readonly AgentPort[] | AgentSource,
    now: () => number,
    counted: (counts: AgentCounts) => void = () => {},
    access?: readonly string[],
  ) {
    const these = { ports: agents as readonly AgentPort[], problems: [] };
    this.#source = 'agentsFor' in agents ? agents : { agentsFor: async () => these };
    this.#now = now;
    this.#counted = counted;
    this.#access = access;
  }

  async find(words: readonly string[], mode: Mode): Promise<Selection> {
    const meant = words.map((word) => this.#source.meaningOf?.(word) ?? word);
    return selectRemote(await this.#discover(meant, true, words), meant, mode);
  }

  /** Finds all tasks; `take` gets those of each agent as soon as it has listed them, and can ask for their views. */
  async findEach(take: (found: Pick<Discovery, 'tasks' | 'problems'>) => Promise<void>): Promise<Selection> {
    const arrived = async (host: RemoteHost) => {
      const found = { tasks: this.#tasksOf(host).sort(compareTasks), problems: [...host.problems] };
      await take(found);
    };
    return selectRemote(await this.#discover([], true, [], arrived), [], 'look');
  }

  async all(): Promise<readonly FoundTask[]> {
    return (await this.#discover([])).tasks;
  }

  async *views(tasks: Iterable<FoundTask>): AsyncGenerator<TaskView> {
    const pending: Promise<TaskView>[] = [];
    for (const found of tasks) {
      const view = this.#view(found);
      // It is awaited later.
      view.catch(() => {});
      pending.push(view);
      if (pending.length >= AHEAD) yield await (pending.shift() as Promise<TaskView>);
    }
    for (const view of pending) yield await view;
  }

  /** Each look keeps what it learnt. */
  board(): TaskSearch {
    this.#remembers = true;
    return this;
  }

  source(found: FoundTask): TaskSource {
    const { agent, run } = this.#originOf(found);
    const reader = new RemoteTask(found, { history: true });
    const ofLook = sandboxOf(run);
    let view: TaskView | undefined;
    let looked = '';
    let last = found;
    const read = async (): Promise<TaskView> => {
      let sandbox = ofLook;
      let { running } = run.run;
      if (view !== undefined) {
        sandbox = new Sandbox(agent.port, run.run.directory, true);
        running = (await agent.runsNow()).get(run.run.directory)?.running ?? false;
        const looks = `${running} ${looksOf(await sandbox.list(found.checkpoint_dir))}`;
        // Of one that has ended, the task file moves, too.
        if (looks === looked && !isTerminalTaskState(view.state)) return view;
        looked = looks;
        const again = await findTasks(sandbox, run.root);
        if (again === 'absent') last = gone(last);
        else if (again !== 'refused') {
          last = again.find(({ task_id }) => task_id === last.task_id) ?? gone(last);
        }
      }
      view = agent.told(await reader.read(sandbox, last, running), sandbox);
      return view;
    };
    return { read, streams: found.checkpoint_dir, taskFiles: rootPaths(found.root.path).active };
  }

  async processNames(found: FoundTask): Promise<readonly string[]> {
    return (await this.source(found).read()).processes.map(({ process }) => process);
  }

  /** The files of the sandbox that holds a root of ours, as they are now. */
  sandboxOf(view: Pick<TaskView, 'root'>): Sandbox {
    return new Sandbox(this.portOf(view), view.root.run_dir ?? view.root.path, true);
  }

  /** The states of Mesos of the newest tasks of executors that are named after a task, as of the last look, by its id. */
  mesosStates(): Map<string, string> {
    const states = new Map<string, string>();
    for (const { executors } of this.#hosts) {
      for (const { executorId, mesosState, running } of executors) {
        const id = taskIdOfExecutor(executorId);
        if (id === undefined || mesosState === undefined) continue;
        if (running || !states.has(id)) states.set(id, mesosState);
      }
    }
    return states;
  }

  /** The ids of the agents that answered the last look. */
  agentIds(): Set<string> {
    return new Set(this.#hosts.map(({ id }) => id).filter((id) => id !== ''));
  }

  /** The sandbox of a task as the last look listed it, and whether its agent then ran the executor. */
  placeOf(found: FoundTask): { sandbox: Sandbox; running: boolean } {
    const { run } = this.#originOf(found);
    return { sandbox: sandboxOf(run), running: run.run.running };
  }

  /** How many tasks were active in the sandbox of this one when it was listed. */
  activeBeside(found: FoundTask): number {
    const { tasks } = this.#originOf(found).run;
    return tasks.filter((task) => task.found.phase === 'active').length;
  }

  /** The agent that has a root of ours. */
  portOf({ root }: Pick<TaskView, 'root'>): AgentPort {
    const host = [...this.#known.values()].find(({ port }) => port.base === root.agent?.url);
    if (host === undefined) throw new Error(`${root.path} is not on these agents`);
    return host.port;
  }

  /** What is in a directory of a sandbox that these agents listed. */
  async listNow(directory: string): Promise<Listed> {
    for (const { port, executors } of this.#known.values()) {
      const run = executors.find((each) => isWithin(directory, each.directory));
      if (run !== undefined) return new Sandbox(port, run.directory, true).list(directory);
    }
    return 'absent';
  }

  /** The sandbox that a path is in, as its agent names it; undefined if it is in none that these agents list. */
  async sandboxAround(path: string): Promise<Sandbox | undefined> {
    await this.#discover([], false, [path]);
    if (path.split('/').includes('..')) return undefined;
    for (const { port, executors } of this.#hosts) {
      const run = executors.find(({ directory }) => isWithin(path, directory));
      if (run !== undefined) return new Sandbox(port, run.directory, true);
    }
    return undefined;
  }

  /** What the agents themselves do not give, as of the last look. */
  get problems(): readonly Problem[] {
    return [...this.#problemsOfSource, ...this.#hosts.flatMap(({ problems }) => problems)];
  }

  #originOf(found: FoundTask): TaskOrigin {
    const origin = this.#origins.get(found);
    if (origin === undefined) throw new Error(`${found.task_id} is not a task of these agents`);
    return origin;
  }

  async #view(found: FoundTask): Promise<TaskView> {
    const { agent, run, task } = this.#originOf(found);
    if (task.view !== undefined) return task.view;
    const reader = task.reader ?? new RemoteTask(found, { history: false, locates: 'probably' });
    const sandbox = sandboxOf(run);
    const view = agent.told(await reader.read(sandbox, found, run.run.running), sandbox);
    if (this.#remembers) {
      const isWhole = sandbox.failure === undefined && !view.removed;
      task.isSettled = isWhole && !run.run.running && isOver(view);
      const isCalm = isWhole && run.only !== undefined && !isOver(view) && view.problems.every(isOfBytes);
      task.view = task.isSettled || isCalm ? view : undefined;
      // What was needed to read it is not needed again.
      task.reader = task.isSettled ? undefined : reader;
    } else run.only = undefined;
    run.phase = undefined;
    if (run.tasks.length === 1) sandbox.forgetAll();
    return view;
  }

  /**
   * Asks all agents that may have what the words mean; those tasks that only other words than these can mean may be left
   * out. `sought`: the words that choose agents, if they are others.
   */
  async #discover(
    words: readonly string[],
    lists = true,
    sought = words,
    arrived: (host: RemoteHost) => Promise<void> = async () => {},
  ): Promise<Discovery> {
    this.#look += 1;
    await this.#chooseHosts(sought);
    const counts = { asked: 0, failed: 0, total: this.#hosts.length };
    const ask = async (host: RemoteHost) => {
      if (!(await host.ask())) counts.failed += 1;
      counts.asked += 1;
      this.#counted(counts);
    };
    const all = (use: (host: RemoteHost) => Promise<void>) => eachAtOnce(this.#hosts, MOST_AGENTS, use);
    if (words.length === 0) {
      await all(async (host) => {
        await ask(host);
        if (lists) await host.list(undefined, this.#look, this.#turns);
        await arrived(host);
      });
    } else {
      await all(ask);
      const exact = this.#executorsOf(words);
      await all((host) => host.list(exact, this.#look, this.#turns));
    }
    return this.#discovery();
  }

  async #chooseHosts(words: readonly string[]): Promise<void> {
    const { ports, problems } = await this.#source.agentsFor(words);
    this.#problemsOfSource = problems;
    this.#hosts = ports.map((port) => {
      const host =
        this.#known.get(port) ?? new RemoteHost(port, this.#now, this.#access, () => this.#remembers);
      this.#known.set(port, host);
      return host;
    });
  }

  /** The executors that Aurora names after these ids, if each of the words is one. */
  #executorsOf(words: readonly string[]): ReadonlySet<string> | undefined {
    const ids = new Set<string>();
    for (const host of this.#hosts) {
      for (const { executorId } of host.executors) ids.add(taskIdOfExecutor(executorId) ?? '');
    }
    return words.every((word) => word !== '' && ids.has(word)) ? new Set(words) : undefined;
  }

  #discovery(): Discovery {
    const agents = this.#hosts.map(({ port }) => port.base);
    const { masters } = this.#source;
    const problems = [...this.#problemsOfSource];
    const access = this.#access;
    let quiet = 0;
    const discovery: Discovery = { agents, masters, access, roots: [], tasks: [], problems };
    const tasks: FoundTask[] = [];
    for (const agent of this.#hosts) {
      for (const problem of agent.problems) discovery.problems.push(problem);
      for (const run of agent.runs.values()) {
        if (run.isRoot) discovery.roots.push(run.root);
        if (run.stays > 0) quiet += 1;
      }
      for (const task of this.#tasksOf(agent)) tasks.push(task);
    }
    this.#turns = Math.max(1, Math.ceil(quiet / MOST_QUIET));
    discovery.tasks = this.#tasks.of(tasks);
    // An agent lists its executors in any order.
    discovery.roots = this.#roots.of(discovery.roots);
    return discovery;
  }

  #tasksOf(agent: RemoteHost): FoundTask[] {
    const tasks: FoundTask[] = [];
    for (const run of agent.runs.values()) {
      for (const task of run.tasks) {
        if (!this.#origins.has(task.found)) this.#origins.set(task.found, { agent, run, task });
        tasks.push(task.found);
      }
    }
    return tasks;
  }
}

/** An agent, and what is known of its sandboxes. */
class RemoteHost {
  readonly port: AgentPort;
  readonly #now: () => number;
  readonly #access: readonly string[] | undefined;
  /** It is looked at again. */
  readonly #remembers: () => boolean;
  executors: readonly ExecutorRun[] = [];
  /** Those that were listed, by their directories. */
  runs = new Map<string, KnownRun>();
  /** Of the agent itself. */
  readonly problems: Problem[] = [];
  #closed: string[] = [];
  #agent: RemoteAgent;
  #aheadMs = 0;
  #askedAt = Number.NEGATIVE_INFINITY;
  #asking: Promise<boolean> | undefined;
  #isDown = false;

  constructor(
    port: AgentPort,
    now: () => number,
    access: readonly string[] | undefined,
    remembers: () => boolean,
  ) {
    this.port = port;
    this.#now = now;
    this.#access = access;
    this.#remembers = remembers;
    this.#agent = { id: '', url: port.base, hostname: '' };
  }

  /** Empty until it has answered. */
  get id(): string {
    return this.#agent.id;
  }

  /** Whether it answered. */
  async ask(): Promise<boolean> {
    this.problems.length = 0;
    this.#isDown = false;
    try {
      const { state, aheadMs = 0 } = await this.port.state();
      this.#askedAt = this.#now();
      this.#agent = { id: state.id, url: this.port.base, hostname: state.hostname };
      this.#aheadMs = Math.abs(aheadMs) < SKEW_MS ? 0 : aheadMs;
      this.executors = state.runs;
      if (this.#aheadMs !== 0) this.problems.push(this.#skew());
      if (state.leftOut > 0) this.problems.push(this.#leftOut(state.leftOut));
      return true;
    } catch (error) {
      this.executors = [];
      this.#failed(error);
      return false;
    }
  }

  /** Lists the sandboxes that may have changed: all of them, or those of the executors of these tasks. */
  async list(tasks: ReadonlySet<string> | undefined, look: number, turns: number): Promise<void> {
    const before = this.runs;
    this.#closed = [];
    const wanted = this.executors.filter(
      ({ executorId }) => tasks === undefined || tasks.has(taskIdOfExecutor(executorId) ?? ''),
    );
    const runs: KnownRun[] = new Array(wanted.length);
    await eachAtOnce(wanted, MOST_RUNS, async (run, i) => {
      const known = before.get(run.directory);
      const isSettled =
        known?.isRoot &&
        !run.running &&
        this.#isOf(known.root) &&
        known.tasks.every((task) => task.isSettled);
      runs[i] = isSettled && (i + look) % LOOKS !== 0 ? known : await this.#list(run, known, i + look, turns);
    });
    this.runs = new Map(runs.map((run) => [run.run.directory, run]));
    if (this.#closed.length > 0) this.problems.push(closed(this.#closed, this.port.base));
  }

  /** What it runs now, or did a moment ago; as it was if it does not answer. */
  async runsNow(): Promise<ReadonlyMap<string, ExecutorRun>> {
    if (this.#now() - this.#askedAt >= FRESH_MS) {
      this.#asking ??= this.ask().finally(() => {
        this.#asking = undefined;
      });
      await this.#asking;
    }
    return new Map(this.executors.map((run) => [run.directory, run]));
  }

  /** The view of a task of this agent; the first one that it did not give whole says why. */
  told(view: TaskView, { failure }: Sandbox): TaskView {
    const url = this.port.base;
    if (view.problems.length === 0 && failure === undefined) return view;
    const problems: Problem[] = view.problems.map((problem) => ({ ...problem, agent: url }));
    if (failure !== undefined && !this.#isDown) {
      this.#isDown = true;
      problems.push({ ...problemOf(failure, url), task_id: view.task_id });
    }
    return { ...view, problems };
  }

  /** `turn`: from time to time, it is not enough that nothing seems to have changed. */
  async #list(run: ExecutorRun, known: KnownRun | undefined, turn: number, turns: number): Promise<KnownRun> {
    const sandbox = new Sandbox(this.port, run.directory);
    if (turn % CLOSE_LOOKS !== 0 && known !== undefined && this.#mayBeAsItWas(run, known)) {
      known.run = run;
      if ((turn % turns !== 0 && this.#isQuiet(known)) || (await isAsItWas(sandbox, known))) return known;
    }
    const root = rootOf(run.directory, this.#agent, this.#aheadMs, this.#access);
    const only = await findTaskOf(
      sandbox,
      run,
      root,
      run.running && this.#remembers() ? NOT_LISTED : undefined,
    );
    if (only !== undefined && known?.tasks[0]?.found.phase === only.phase) {
      if (this.#mayBeAsItWas(run, known) && (await isAsItWas(sandbox, known))) return known;
    }
    const found = only === undefined ? await findTasks(sandbox, root) : [only];
    if (sandbox.failure !== undefined) this.#failed(sandbox.failure);
    if (found === 'absent') return { run, root, sandbox, isRoot: false, tasks: [], stays: 0 };
    if (found === 'refused') {
      root.readable = false;
      // A closed sandbox of an agent that answers.
      if (sandbox.failure === undefined) this.#closed.push(run.directory);
    }
    const readers = new Map(known?.tasks.map((task) => [task.found.task_id, task.reader]));
    const tasks = (found === 'refused' ? namedByExecutor(root, run) : found).map((task): KnownTask => {
      const { task_id } = task;
      if (task.problems.length > 0) {
        task.problems = task.problems.map((problem) => ({ ...problem, agent: this.port.base }));
      }
      return { found: task, reader: readers.get(task_id) };
    });
    const listed: KnownRun = {
      run,
      root,
      sandbox,
      isRoot: true,
      tasks,
      only: undefined,
      phase: undefined,
      stays: 0,
    };
    if (only !== undefined) {
      listed.only = await sandbox.list(only.checkpoint_dir);
      listed.phase = await sandbox.list(phasePath(root.path, only.phase));
      // What is read of very many tasks later takes less memory until then.
      sandbox.forgetAll();
    }
    return listed;
  }

  /** All that is known of it without asking for it is as it was. */
  #mayBeAsItWas({ running }: ExecutorRun, { run, root, tasks, only }: KnownRun): boolean {
    const isSame = run.running === running && this.#isOf(root);
    return isSame && root.ahead_ms === this.#aheadMs && only !== undefined && tasks[0]?.view !== undefined;
  }

  /** Its tasks name this agent, at the address at which it answered now. */
  #isOf({ agent }: TaskRoot): boolean {
    return agent?.id === this.#agent.id && agent.url === this.#agent.url;
  }

  /** Nothing changed since the last look, nor for a while before. */
  #isQuiet({ stays, tasks }: KnownRun): boolean {
    const since = tasks[0]?.view?.silent_since_ms ?? Number.POSITIVE_INFINITY;
    return stays > 0 && this.#now() + this.#aheadMs - since > QUIET_MS;
  }

  #failed(error: unknown): void {
    const failure = failureIn(error);
    if (failure === undefined) throw error;
    if (!this.#isDown) this.problems.push(problemOf(failure, this.port.base));
    this.#isDown = true;
  }

  #skew(): Problem {
    const by = duration(Math.abs(this.#aheadMs));
    const way = this.#aheadMs > 0 ? 'ahead of' : 'behind';
    return {
      code: 'agent-clock-skew',
      severity: 'warning',
      message: `the clock of the agent ${this.port.base} is ${by} ${way} ours: ages of its tasks are by its clock`,
      agent: this.port.base,
    };
  }

  #leftOut(count: number): Problem {
    return {
      code: 'agent-answer-odd',
      severity: 'warning',
      message: `the agent ${this.port.base} lists ${count} sandboxes that are not read: there are too many, or their directories are not those of an agent`,
      agent: this.port.base,
    };
  }
}

function compareRoots(a: TaskRoot, b: TaskRoot): number {
  if (a.path !== b.path) return a.path < b.path ? -1 : 1;
  const [first = '', second = ''] = [a.agent?.url, b.agent?.url];
  return first < second ? -1 : first > second ? 1 : 0;
}

/** Sorts again only if the items are others than the last time. */
class Sorter<T> {
  readonly #compare: (a: T, b: T) => number;
  #items: readonly T[] = [];
  #sorted: readonly T[] = [];

  constructor(compare: (a: T, b: T) => number) {
    this.#compare = compare;
  }

  of(items: readonly T[]): T[] {
    const last = this.#items;
    if (items.length !== last.length || items.some((item, i) => item !== last[i])) {
      this.#items = items;
      this.#sorted = [...items].sort(this.#compare);
    }
    return [...this.#sorted];
  }
}

/** Does it stay as long as the bytes that were read stay? */
function isOfBytes({ code }: Problem): boolean {
  return code === 'checkpoint-incomplete' || code === 'checkpoint-damaged';
}

/** The sandbox as it was listed in the last look. */
function sandboxOf({ sandbox, only, phase, tasks: [task] }: KnownRun): Sandbox {
  if (task === undefined) return sandbox;
  const { root, checkpoint_dir } = task.found;
  if (only !== undefined) sandbox.recall(checkpoint_dir, only);
  if (phase !== undefined) sandbox.recall(phasePath(root.path, task.found.phase), phase);
  return sandbox;
}

/** Is what is in the directory of its only task the same as before? */
async function isAsItWas(sandbox: Sandbox, known: KnownRun): Promise<boolean> {
  const { only, tasks } = known;
  if (only === undefined || tasks[0] === undefined) return false;
  const listed = await sandbox.list(tasks[0].found.checkpoint_dir, only);
  if (listed !== only && looksOf(listed) !== looksOf(only)) return false;
  known.sandbox = sandbox;
  known.only = listed;
  known.phase = undefined;
  known.stays += 1;
  return true;
}

function namedByExecutor(root: TaskRoot, { executorId }: ExecutorRun): FoundTask[] {
  const task_id = taskIdOfExecutor(executorId);
  return task_id === undefined ? [] : [{ ...taskIn(root, task_id), unreadable: true }];
}

function gone(found: FoundTask): FoundTask {
  return { ...found, task_file: undefined, problems: [] };
}

function closed(directories: readonly string[], agent: string): Problem {
  const [path = ''] = directories;
  const sandboxes = directories.length === 1 ? `the sandbox ${path}` : `${directories.length} sandboxes`;
  return {
    code: 'sandbox-unreadable',
    severity: 'error',
    message: `the agent ${agent} does not let you see ${sandboxes}`,
    path,
    hint: 'its access list does not allow it: say who you are with --credentials-file FILE',
    agent,
  };
}
