import { mentions } from '../app/task-order.js';
import type { TopAnswer } from '../app/top.js';
import type { TaskView } from '../task/view.js';
import type { SampledTask } from '../top/model.js';
import { TOP_COLUMNS, type TopColumn } from '../views/parts/top-columns.js';
import { type TopRow, topRows, topSummary, topTable } from '../views/top.js';
import { say } from './failure.js';
import { keysKey, sortKeys } from './list-keys.js';
import { type ListContent, MARK } from './list-screen.js';
import { TaskActions } from './task-actions.js';
import type { Terminal } from './terminal.js';
import { hasWords } from './text-list.js';
import type { TopSession } from './top.js';
import { orderOf } from './top-order.js';
import { notesOf } from './watch.js';
import { type ListEffect, type ListKey, type ListRequest, type ListSource, watchList } from './watch-list.js';

/** Shows what tasks use on a screen of its own. Resolves to the exit code. */
export async function watchTop(session: TopSession, terminal: Terminal): Promise<number> {
  const ports = { gatherer: session.tasks, logsOf: session.logsOf, now: () => terminal.now() };
  const list = new TopList(session, new TaskActions(ports));
  const { exitCode, notes } = await watchList(terminal, session.intervalMs, list);
  for (const note of notes) say(terminal, note);
  return exitCode;
}

/** The second look comes so soon at the latest, because the first one has no rates. */
const SOON_MS = 500;

/** Letters for columns. */
const LETTERS: Readonly<Record<string, TopColumn>> = {
  n: 'task',
  N: 'process',
  c: 'cpu',
  C: 'cpu%',
  m: 'rss',
  M: 'ram%',
  t: 'threads',
  u: 'pids',
  f: 'fds',
  e: 'read',
  w: 'written',
  d: 'disk',
  D: 'disk%',
  T: 'throttled',
  o: 'oom',
  a: 'age',
  S: 'state',
  R: 'run',
  P: 'pss',
};

/** What tasks use, or their processes, as it changes. */
export class TopList implements ListSource {
  readonly orders: readonly string[];
  readonly orderLetters = LETTERS;
  readonly keys: readonly ListKey[];
  readonly #session: TopSession;
  readonly #actions: TaskActions;
  /** Of this task alone. */
  readonly #only: TaskView | undefined;
  #answer: TopAnswer | undefined;
  #looks = 0;
  #processes: boolean;
  /** Those that are shown, by the ids of their lines. */
  #rows = new Map<string, TopRow>();

  constructor(session: TopSession, actions: TaskActions, only?: TaskView) {
    this.#session = session;
    this.#actions = actions;
    this.#only = only;
    this.#processes = session.flags.processes;
    const { by: first } = orderOf(session.flags);
    this.orders = [first, ...TOP_COLUMNS.filter((column) => column !== first)];
    const onRow = (letter: string, hint: string, effect: (row: TopRow) => ListEffect): ListKey => ({
      letter,
      hint,
      onSelected: true,
      press: (selected) => {
        const row = selected === undefined ? undefined : this.#rows.get(selected);
        return row === undefined ? 'redraw' : effect(row);
      },
    });
    this.keys = [
      onRow('k', 'kill', ({ view }) => actions.kill(view)),
      onRow('l', 'log', (row) => actions.log(row.view, processOf(row))),
      onRow('i', 'inspect', ({ view }) => actions.inspect(view)),
      { letter: 'p', hint: 'processes', press: () => this.#switch() },
      keysKey(KEYS),
    ];
  }

  get pauseMs(): number {
    const { intervalMs } = this.#session;
    return this.#looks < 2 ? Math.min(SOON_MS, intervalMs) : intervalMs;
  }

  listen(changed: () => void): void {
    this.#actions.listen(changed);
  }

  close(): void {
    this.#session.top.close?.();
  }

  async look(): Promise<boolean> {
    this.#answer = await this.#session.top.look();
    this.#looks += 1;
    return true;
  }

  content({ filter, order, reverse, style }: ListRequest): ListContent {
    const answer = this.#answer as TopAnswer;
    const { flags } = this.#session;
    const by = this.orders[order] as TopColumn;
    const rows = topRows(answer, this.#processes, { by, reverse: reverse !== Boolean(flags.reverse) }).filter(
      ({ view, sample, process }) =>
        (this.#only === undefined || isOf(sample.task, this.#only)) &&
        (filter === '' ||
          mentions(view, filter) ||
          // A filter that was meant for processes keeps their tasks.
          (process === undefined ? sample.processes : [process]).some((each) =>
            hasWords(each.process, filter),
          )),
    );
    this.#rows = new Map(rows.map((row) => [idOf(row), row]));
    const notes = [...this.#actions.news, ...notesOf(answer.problems, answer.notice)];
    const summary = topSummary(answer.sample, style);
    if (answer.sample.tasks.length === 0)
      return { summary: [], titles: undefined, lines: [], ids: [], notes };
    const { titles, body } = topTable(
      rows,
      { processes: this.#processes, pss: flags.pss },
      { ...style, width: style.width && style.width - MARK },
    );
    return { summary, titles, lines: body, ids: [...this.#rows.keys()], notes };
  }

  #switch(): ListEffect {
    this.#processes = !this.#processes;
    return 'relist';
  }
}

/** The last run is meant, also if another one begins. */
function processOf({ process }: TopRow): { process: string } | undefined {
  return process && { process: process.process };
}

/** On two agents, two tasks may have the same path. */
function isOf({ key, agent }: SampledTask, { found, root }: TaskView): boolean {
  return key === found.checkpoint_dir && agent?.id === root.agent?.id;
}

function idOf({ sample, process }: TopRow): string {
  const { agent, key } = sample.task;
  const task = `${agent?.url ?? ''}\n${key}`;
  return process === undefined ? task : `${task}\n${process.run} ${process.process}`;
}

const KEYS = `${sortKeys('r')}
p                tasks or processes
k                end the selected task
l                the logs of the selected task or process
i                inspect the selected task

Sort by a column:
n task           N process        R run            S state
c CPU            C CPU%           m RSS            M RAM%
P PSS            t threads        u pids           f descriptors
e read           w written        d disk           D disk%
T throttled      o OOM kills      a age`;
