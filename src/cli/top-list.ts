import { spawn } from 'node:child_process';
import { inspectFound } from '../app/inspect.js';
import { mentions } from '../app/task-order.js';
import type { TopAnswer } from '../app/top.js';
import { visible } from '../text/escape.js';
import { inspectText } from '../views/inspect.js';
import { columnOf, TOP_COLUMNS, type TopColumn } from '../views/parts/top-columns.js';
import { type TopRow, topRows, topSummary, topTable } from '../views/top.js';
import { agentRefusal } from './agent-refusal.js';
import type { ListContent } from './list-screen.js';
import { LogList } from './log-list.js';
import { MAIN } from './programs.js';
import type { Terminal } from './terminal.js';
import { hasWords, TextList } from './text-list.js';
import type { TopSession } from './top.js';
import { notesOf } from './watch.js';
import { type ListEffect, type ListKey, type ListRequest, type ListSource, watchList } from './watch-list.js';

/** Shows what tasks use on a screen of its own. Resolves to the exit code. */
export async function watchTop(session: TopSession, terminal: Terminal): Promise<number> {
  const list = new TopList(session, terminal);
  const { exitCode, notes } = await watchList(terminal, session.intervalMs, list);
  terminal.writeError(notes.map((note) => `${visible(note)}\n`).join(''));
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

class TopList implements ListSource {
  readonly orders: readonly string[];
  readonly orderLetters = LETTERS;
  readonly keys: readonly ListKey[];
  readonly #session: TopSession;
  readonly #terminal: Terminal;
  #answer: TopAnswer | undefined;
  #looks = 0;
  #processes: boolean;
  /** Those that are shown, by the ids of their lines. */
  #rows = new Map<string, TopRow>();
  /** What was done. */
  #news: string[] = [];
  #changed = () => {};

  constructor(session: TopSession, terminal: Terminal) {
    this.#session = session;
    this.#terminal = terminal;
    this.#processes = session.flags.processes;
    const first = columnOf(session.flags.sort);
    this.orders = [first, ...TOP_COLUMNS.filter((column) => column !== first)];
    const withRow = (effect: (row: TopRow) => ListEffect) => (selected: string | undefined) => {
      const row = selected === undefined ? undefined : this.#rows.get(selected);
      return row === undefined ? 'redraw' : effect(row);
    };
    this.keys = [
      { letter: 'k', hint: 'kill', press: withRow((row) => this.#kill(row)) },
      { letter: 'l', hint: 'log', press: withRow((row) => this.#log(row)) },
      { letter: 'i', hint: 'inspect', press: withRow((row) => this.#inspect(row)) },
      { letter: 'p', hint: 'processes', press: () => this.#switch() },
      { letter: '?', hint: 'keys', press: () => ({ open: new TextList('Keys', () => () => KEYS) }) },
    ];
  }

  get pauseMs(): number {
    const { intervalMs } = this.#session;
    return this.#looks < 2 ? Math.min(SOON_MS, intervalMs) : intervalMs;
  }

  listen(changed: () => void): void {
    this.#changed = changed;
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
      ({ view, process }) =>
        filter === '' || mentions(view, filter) || hasWords(process?.process ?? '', filter),
    );
    this.#rows = new Map(rows.map((row) => [idOf(row), row]));
    const notes = [...this.#news, ...notesOf(answer.problems, answer.notice)];
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
    return 'redraw';
  }

  #log({ view, process }: TopRow): ListEffect {
    const { tasks: gatherer, logsOf } = this.#session;
    const ports = { gatherer, logsOf, now: () => this.#terminal.now() };
    const processes = process === undefined ? [] : [process.process];
    const title = `Logs of ${[view.task_id, ...processes].join(' ')}`;
    return { open: new LogList(visible(title), view.found, processes, ports) };
  }

  #inspect({ view }: TopRow): ListEffect {
    const make = async () => {
      const { tasks: gatherer, logsOf } = this.#session;
      const ports = { gatherer, logsOf, now: this.#terminal.now() };
      const inspection = await inspectFound(view.found, ports);
      return (style: ListRequest['style']) => inspectText(inspection, style, {});
    };
    return { open: new TextList(visible(view.task_id), make) };
  }

  /** Another program ends the task: it goes on when this screen is left. */
  #kill({ view }: TopRow): ListEffect {
    const { task_id, found, root } = view;
    if (root.agent !== undefined) {
      const { message, hint } = agentRefusal('kill');
      this.#news = [message, String(hint)];
      return 'redraw';
    }
    return { question: `End task ${task_id}?`, yes: () => this.#end(task_id, found.task_file ?? task_id) };
  }

  #end(task_id: string, word: string): void {
    this.#news = [`ending task ${task_id}`];
    const child = spawn(process.execPath, [MAIN, 'kill', '--yes', word], {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.unref();
    let text = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (more: string) => {
        text += more;
      });
    }
    const tell = (lines: string) => {
      this.#news = lines.split('\n').filter((line) => line !== '');
      this.#changed();
    };
    child.on('error', ({ message }) => tell(`task ${task_id} was not ended: ${message}`));
    child.on('close', () => tell(text));
  }
}

/** The columns before a line that can be selected. */
const MARK = 2;

function idOf({ sample, process }: TopRow): string {
  return process === undefined ? sample.task.key : `${sample.task.key}\n${process.run} ${process.process}`;
}

const KEYS = `q, Ctrl-C        quit
Esc              back, or no filter
arrows, PgUp, PgDn, Home, End, j
                 select a task or process
/                filter: what contains all words
p                tasks or processes
k                end the selected task
l                the logs of the selected task or process
i                inspect the selected task
s or >, <        sort by the next column, or the one before
r                reverse the order
Ctrl-L           draw the screen again

Sort by a column:
n task           N process        R run            S state
c CPU            C CPU%           m RSS            M RAM%
P PSS            t threads        u pids           f descriptors
e read           w written        d disk           D disk%
T throttled      o OOM kills      a age
`;
