import { hasError, type Problem } from '../errors/problem.js';
import type { TaskView } from '../task/view.js';

/** Tasks of agents that do not answer any more, as they were when those last did. */
export interface Silent {
  /** As a person knows the agent. */
  readonly agent: string;
  /** When it answered last, milliseconds since the epoch. */
  readonly timeMs: number;
}

interface Answered {
  readonly views: readonly TaskView[];
  readonly timeMs: number;
}

/** What a look saw. */
export interface SeenTasks {
  readonly views: readonly TaskView[];
  readonly problems: readonly Problem[];
  /** The addresses of the agents that were asked; undefined if this host was looked at. */
  readonly agents?: readonly string[] | undefined;
}

/** Problems of masters and schedulers. */
const LISTS_AGENTS = /^(?:master|scheduler)-/;

/** Remembers what agents told, for as long as nobody can ask them again. */
export class LastKnown {
  /** By the addresses of agents. */
  #answered = new Map<string, Answered>();

  /** True if an agent has told anything. */
  get isAny(): boolean {
    return this.#answered.size > 0;
  }

  /**
   * The tasks of a look, with those of agents that could not be asked in it; and of which agents that is. Tasks of this host
   * are as the look saw them.
   */
  add(
    { views, problems, agents = [] }: SeenTasks,
    timeMs: number,
  ): { views: readonly TaskView[]; silent: readonly Silent[] } {
    const told = byAgent(views);
    const failed = new Set(
      problems.flatMap(({ agent, severity, code }) =>
        severity === 'error' && code.startsWith('agent-') ? (agent ?? []) : [],
      ),
    );
    // Without those who list agents, nobody knows whether there are others than were asked.
    const isBlind = hasError(problems.filter(({ code }) => LISTS_AGENTS.test(code)));
    const asked = new Set(agents);
    const kept = [...this.#answered].filter(
      ([url]) => !told.has(url) && (failed.has(url) || (isBlind && !asked.has(url))),
    );
    this.#answered = new Map([
      ...kept,
      ...[...told].map(([url, views]) => [url, { views, timeMs }] as const),
    ]);
    if (kept.length === 0) return { views, silent: [] };
    return {
      views: [...views, ...kept.flatMap(([, { views }]) => views)],
      silent: kept.map(([url, { views, timeMs }]) => ({
        agent: views[0]?.root.agent?.hostname || url,
        timeMs,
      })),
    };
  }
}

function byAgent(views: readonly TaskView[]): Map<string, TaskView[]> {
  const told = new Map<string, TaskView[]>();
  for (const view of views) {
    const url = view.root.agent?.url;
    if (url === undefined) continue;
    const known = told.get(url);
    if (known === undefined) told.set(url, [view]);
    else known.push(view);
  }
  return told;
}
