import type { FoundTask } from '../discovery/found.js';
import type { Selection } from '../discovery/select.js';
import type { Problem } from '../errors/problem.js';
import { RUNNER } from '../layout/task-paths.js';
import { eachView } from '../task/gatherer.js';
import { OrderedTransitions } from '../task/ordered-transitions.js';
import type { TransitionLook, TransitionWatch } from '../task/transition-watch.js';
import { type AgentFailure, problemOf } from './failure.js';
import { type AgentTasks, SKEW_MS } from './gatherer.js';
import { Lane } from './lane.js';
import type { Sandbox } from './sandbox.js';
import { RemoteTransitionReader } from './transition-reader.js';

export interface RemoteTransitionShell {
  /** Milliseconds from a fixed point. */
  now(): number;
  /** Resolves after so many milliseconds, or when the signal comes. */
  pause(ms: number, signal: AbortSignal): Promise<unknown>;
}

/** How often agents are asked: once a second, and less and less often while nothing happens. Milliseconds. */
const INTERVAL_MS = { least: 1000, most: 5000, grows: 1.25 } as const;
/** Tasks whose streams are read at the same time. */
const MOST_AT_ONCE = 256;

interface Followed {
  found: FoundTask;
  /** Undefined if nothing can be new any more: the task is over, and its executor is gone. */
  reader?: RemoteTransitionReader;
  /** Transitions from before this time are not asked for. */
  sinceMs: number;
  /** As it was found when its view was read, which keeps its sandbox from being listed again. */
  settled?: FoundTask;
  /** In so many looks it was not found. */
  missing: number;
}

/** An agent that was just started may know nothing for a while: what was told of its tasks is remembered in so many looks. */
const MOST_MISSING = 1000;

/** Follows the transitions of the tasks on agents that the words select, those since a time. */
export class RemoteTransitions implements TransitionWatch {
  readonly #agents: AgentTasks;
  readonly #words: readonly string[];
  readonly #sinceMs: number;
  readonly #shell: RemoteTransitionShell;
  readonly #lane = new Lane(MOST_AT_ONCE);
  readonly #closing = new AbortController();
  /** By agent and checkpoint directory. */
  readonly #followed = new Map<string, Followed>();
  /** The agents that did not answer in the last look. */
  #down: ReadonlySet<string> = new Set();
  #isFirst = true;
  #interval: number = INTERVAL_MS.least;
  #took = 0;

  constructor(agents: AgentTasks, words: readonly string[], sinceMs: number, shell: RemoteTransitionShell) {
    this.#agents = agents;
    // It looks again: what cannot change any more is not listed again.
    agents.board();
    this.#words = words;
    this.#sinceMs = sinceMs;
    this.#shell = shell;
  }

  async look(): Promise<TransitionLook> {
    const start = this.#shell.now();
    const selection = await this.#agents.find(this.#words, 'look');
    const look = new AgentLook(selection.problems);
    const here = this.#update(selection, look);
    await Promise.all(here.map((followed) => this.#lane.run(() => this.#read(followed, look))));
    await this.#settle(here, look);
    const answering = [...this.#down].filter((agent) => !look.down.has(agent));
    this.#down = look.down;
    this.#isFirst = false;
    this.#took = this.#shell.now() - start;
    const isNew = look.size > 0 || answering.length > 0;
    const grown = Math.min(this.#interval * INTERVAL_MS.grows, INTERVAL_MS.most);
    this.#interval = isNew ? INTERVAL_MS.least : grown;
    return { transitions: look.inOrder(), problems: look.problems, more: false, selection, answering };
  }

  /** Agents that take long to answer get as long a rest. */
  async changes(): Promise<void> {
    const { signal } = this.#closing;
    if (!signal.aborted) await this.#shell.pause(Math.max(this.#interval, this.#took), signal);
  }

  close(): void {
    this.#closing.abort();
  }

  /** Takes the tasks as they were found again. Returns those that can be read. */
  #update({ selected }: Selection, { down }: AgentLook): Followed[] {
    const here = new Map<string, Followed>();
    for (const found of selected) {
      if (found.unreadable) continue;
      const { id = '', url = '' } = found.root.agent ?? {};
      // An agent may have several addresses.
      const key = `${id === '' ? url : id} ${found.checkpoint_dir}`;
      const followed = this.#followed.get(key) ?? this.#begin(found);
      followed.found = found;
      followed.missing = 0;
      here.set(key, followed);
      this.#followed.set(key, followed);
    }
    for (const [key, followed] of this.#followed) {
      if (here.has(key) || isOf(followed.found, down)) continue;
      followed.missing += 1;
      if (followed.missing > MOST_MISSING) this.#followed.delete(key);
    }
    return [...here.values()];
  }

  #begin(found: FoundTask): Followed {
    // Clocks that agree well enough may differ by so much, and what was not there before is new.
    const slack = this.#isFirst ? 0 : SKEW_MS;
    const sinceMs = this.#sinceMs + (found.root.ahead_ms ?? 0) - slack;
    return { found, reader: new RemoteTransitionReader(found), sinceMs, missing: 0 };
  }

  async #read(followed: Followed, look: AgentLook): Promise<void> {
    const { found, reader, sinceMs } = followed;
    if (reader === undefined) return;
    const { sandbox, running } = this.#agents.placeOf(found);
    const isGone = found.phase === 'finished' && !running;
    if (isGone && (await wasWrittenBefore(sinceMs, found, sandbox))) {
      followed.reader = undefined;
      return;
    }
    const { transitions, problems, over } = await reader.read(sandbox, found, running);
    look.add(found, transitions, sinceMs);
    if (sandbox.failure !== undefined) look.failed(found, sandbox.failure);
    else {
      for (const problem of problems) look.problems.push({ ...problem, agent: found.root.agent?.url });
      // What comes after that is new, whatever time the clock of the agent gives it.
      followed.sinceMs = Number.NEGATIVE_INFINITY;
      if (isGone && over) followed.reader = undefined;
    }
  }

  async #settle(here: readonly Followed[], { down }: AgentLook): Promise<void> {
    const over = here.filter(
      ({ found, reader, settled }) => reader === undefined && settled !== found && !isOf(found, down),
    );
    for (const followed of over) followed.settled = followed.found;
    await eachView(this.#agents.views(over.map(({ found }) => found)), () => {});
  }
}

/** What one look has found. */
class AgentLook extends OrderedTransitions {
  /** Agents that did not answer, or no more. */
  readonly down: Set<string>;
  readonly problems: Problem[] = [];

  constructor(problems: readonly Problem[]) {
    super();
    const failed = problems.filter(({ code, severity }) => severity === 'error' && code.startsWith('agent-'));
    this.down = new Set(failed.map(({ agent = '' }) => agent));
  }

  failed({ root }: FoundTask, failure: AgentFailure): void {
    const url = root.agent?.url ?? '';
    if (!this.down.has(url)) this.problems.push(problemOf(failure, url));
    this.down.add(url);
  }
}

function isOf({ root }: FoundTask, agents: ReadonlySet<string>): boolean {
  return agents.has(root.agent?.url ?? '');
}

/** Agents give times in whole seconds. */
const SECOND_MS = 1000;

async function wasWrittenBefore(
  sinceMs: number,
  { checkpoint_dir }: FoundTask,
  sandbox: Sandbox,
): Promise<boolean> {
  const entry = await sandbox.entry(`${checkpoint_dir}/${RUNNER}`);
  return typeof entry !== 'string' && entry.mtimeMs + SECOND_MS < sinceMs;
}
