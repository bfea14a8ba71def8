import { RUNNER } from '../layout/task-paths.js';
import { historyLeftOut } from '../task/checkpoint-problems.js';
import type { TaskSource } from '../task/gatherer.js';
import type { TaskView } from '../task/view.js';
import { whyLines } from '../task/why.js';
import { type ListedRun, RUN_ORDERS, type RunListOrder, runRows, runsTable, taskHead } from '../views/ui.js';
import { keysKey, sortKeys } from './list-keys.js';
import { type ListContent, MARK } from './list-screen.js';
import { hasWords } from './text-list.js';
import type { UiActions } from './ui-actions.js';
import { notesOf } from './watch.js';
import type { ListEffect, ListKey, ListRequest, ListSource } from './watch-list.js';

/** The processes of a task and their runs, as they change. */
export class RunList implements ListSource {
  readonly orders: readonly string[] = RUN_ORDERS;
  readonly keys: readonly ListKey[];
  readonly #source: TaskSource;
  readonly #actions: UiActions;
  readonly #now: () => number;
  #view: TaskView;
  /** What tells one look from another. */
  #seen: string | undefined;
  /** Those that are shown, by the ids of their lines. */
  #rows = new Map<string, ListedRun>();

  /** `view`: what is known of the task before it is read. */
  constructor(view: TaskView, source: TaskSource, actions: UiActions, now: () => number) {
    this.#view = view;
    this.#source = source;
    this.#actions = actions;
    this.#now = now;
    const key = (letter: string, hint: string, press: () => ListEffect): ListKey => ({ letter, hint, press });
    const process = (selected: string | undefined) => this.#rows.get(selected ?? '')?.process.process;
    this.keys = [
      keysKey(KEYS),
      { letter: 'l', hint: 'log', onSelected: true, press: (selected) => this.enter(selected) },
      key('w', 'why', () => actions.why(this.#view)),
      key('k', 'kill', () => actions.kill(this.#view)),
      {
        letter: 'e',
        hint: 'exec',
        onSelected: true,
        press: (selected) => actions.exec(this.#view, process(selected)),
      },
      key('t', 'top', () => actions.top(this.#view)),
      key('i', 'inspect', () => actions.inspect(this.#view)),
      key('r', 'report', () => actions.report(this.#view)),
    ];
  }

  listen(changed: () => void): void {
    this.#actions.listen(changed);
  }

  enter(selected: string | undefined): ListEffect {
    const row = this.#rows.get(selected ?? '');
    if (row === undefined) return 'redraw';
    return this.#actions.log(this.#view, { process: row.process.process, run: row.run?.n });
  }

  async look(): Promise<boolean> {
    this.#view = await this.#source.read();
    const { state, verdict, processes, problems, history } = this.#view;
    const runs = processes.map(({ process, state, pid }) => [state, pid, history.get(process)?.run_count]);
    const seen = JSON.stringify([state, verdict, runs, problems.map(({ message }) => message)]);
    const isNew = seen !== this.#seen;
    this.#seen = seen;
    return isNew;
  }

  content({ filter, order, reverse, style }: ListRequest): ListContent {
    const view = this.#view;
    const rows = runRows(view, this.orders[order] as RunListOrder, reverse).filter(({ process, state }) =>
      hasWords(`${process.process} ${state}`, filter),
    );
    this.#rows = new Map(rows.map((row) => [`${row.run?.n} ${row.process.process}`, row]));
    const why = whyLines(view, { now: this.#now() + (view.root.ahead_ms ?? 0), output: {} });
    const stream = `${view.found.checkpoint_dir}/${RUNNER}`;
    const leftOut = historyLeftOut(stream, view.history, view.statuses_left_out, view.root.agent?.url);
    const { titles, body } = runsTable(rows, view, { ...style, width: style.width && style.width - MARK });
    return {
      summary: taskHead(view, why, style),
      titles,
      lines: body,
      ids: [...this.#rows.keys()],
      notes: [...this.#actions.news, ...notesOf([...view.problems, ...leftOut], undefined)],
    };
  }
}

const KEYS = `${sortKeys('R')}
Enter or l       the log of the selected run
w                why the task is in its state
k                end the task, after a question
e                a shell beside the selected process
t                what the processes of the task use
i                inspect the task
r                write the page of the task`;
