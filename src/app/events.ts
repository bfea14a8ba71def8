import { EXIT } from '../errors/exit-codes.js';
import { hasError, type Problem } from '../errors/problem.js';
import type { Awaitable } from '../task/gatherer.js';
import type { TaskTransition, TransitionLook, TransitionWatch } from '../task/transition-watch.js';
import { missingTasks, noSuchTask } from './search.js';
import { answered, type Pause } from './wait.js';

export interface EventOptions {
  /** Only transitions to one of these states; undefined: all. */
  states?: readonly string[];
  /** False: only what is recorded already. */
  follow: boolean;
}

export interface EventPorts {
  /** Closed at the end. */
  watch: TransitionWatch;
  pause: Pause;
  /** Takes transitions, in their order; the next ones wait until it is done. */
  take(transitions: readonly TaskTransition[]): Awaitable<void>;
  /** Takes problems that are new. */
  report(problems: readonly Problem[]): void;
  /** These agents answer again. */
  answering(agents: readonly string[]): void;
  /** Takes the number of tasks when they were found for the first time; they are followed from now on. */
  started(tasks: number): void;
  /** True if nobody listens any more. */
  isClosed(): boolean;
}

/** A watch that runs for months does not remember all problems. */
const MOST_REMEMBERED = 10_000;

/**
 * Passes on the transitions of tasks as they happen. Resolves to the exit code of a signal, or 0 if nobody wants to know
 * any more; without `follow`, to 0 if there was a transition, else 1, or 5 if something could not be read. Rejects with
 * NotFoundError if it does not follow and no word matches a task.
 */
export async function followEvents(options: EventOptions, ports: EventPorts): Promise<number> {
  const { watch, pause } = ports;
  const events = new EventStream(options, ports);
  try {
    for (;;) {
      const look = await answered(watch.look(), pause);
      if (typeof look === 'number') return look;
      const exitCode = await pause(events.take(look));
      if (exitCode !== undefined) return exitCode;
      if (!options.follow && !look.more) return events.exitCode;
      const signalled = await pause(watch.changes());
      if (signalled !== undefined) return signalled;
      // If nothing happens, no write shows that the output is closed.
      if (ports.isClosed()) return EXIT.ok;
    }
  } finally {
    watch.close();
  }
}

class EventStream {
  readonly #options: EventOptions;
  readonly #ports: EventPorts;
  /** The agents of the problems that were reported, by message. */
  readonly #reported = new Map<string, string | undefined>();
  #isFirst = true;
  #taken = 0;
  #isPartial = false;
  #isMissing = false;

  constructor(options: EventOptions, ports: EventPorts) {
    this.#options = options;
    this.#ports = ports;
  }

  /** Of what was taken. */
  get exitCode(): number {
    if (this.#isMissing || this.#taken === 0) return this.#isPartial ? EXIT.partial : EXIT.no;
    return this.#isPartial ? EXIT.partial : EXIT.ok;
  }

  async take({ transitions, problems, selection, answering = [] }: TransitionLook): Promise<void> {
    this.#again(answering);
    if (selection !== undefined) {
      this.#report(this.#isFirst ? selection.problems : selection.problems.filter(isLasting));
      if (this.#isFirst) this.#start(selection);
      this.#isFirst = false;
    }
    this.#report(problems);
    const { states } = this.#options;
    const chosen =
      states === undefined ? transitions : transitions.filter(({ state }) => states.includes(String(state)));
    this.#taken += chosen.length;
    if (chosen.length > 0) await this.#ports.take(chosen);
  }

  /** What may be wrong with them later is new. */
  #again(agents: readonly string[]): void {
    if (agents.length === 0) return;
    for (const [message, agent] of this.#reported) {
      if (agent !== undefined && agents.includes(agent)) this.#reported.delete(message);
    }
    this.#ports.answering(agents);
  }

  /** They may come. */
  #asExpected(problem: Problem): Problem {
    return this.#options.follow ? { ...problem, severity: 'warning' } : problem;
  }

  #start(selection: NonNullable<TransitionLook['selection']>): void {
    const { follow } = this.#options;
    const { unmatched, selected } = selection;
    if (!follow && unmatched.length > 0 && selected.length === 0) throw noSuchTask(selection);
    this.#isMissing = unmatched.length > 0;
    this.#ports.report(missingTasks(selection).map((problem) => this.#asExpected(problem)));
    if (follow) this.#ports.started(selected.filter(({ phase }) => phase === 'active').length);
  }

  #report(problems: readonly Problem[]): void {
    this.#isPartial ||= hasError(problems.filter((problem) => !isAbsence(problem)));
    const fresh = problems.filter(({ message }) => !this.#reported.has(message));
    if (this.#reported.size > MOST_REMEMBERED) this.#reported.clear();
    for (const { message, agent } of fresh) this.#reported.set(message, agent);
    if (fresh.length === 0) return;
    this.#ports.report(fresh.map((problem) => (isAbsence(problem) ? this.#asExpected(problem) : problem)));
  }
}

/** There is nothing, which does not mean that something could not be read. */
function isAbsence({ code }: Problem): boolean {
  return code === 'root-missing';
}

/** A root that is just being made is not one yet. */
function isLasting(problem: Problem): boolean {
  return problem.severity === 'error' && !isAbsence(problem);
}
