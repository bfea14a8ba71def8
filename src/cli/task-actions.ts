import { spawn } from 'node:child_process';
import { isDone } from '../app/end-task.js';
import { inspectFound } from '../app/inspect.js';
import type { ThermosError } from '../errors/errors.js';
import type { TaskView } from '../task/view.js';
import { visible } from '../text/escape.js';
import { inspectText } from '../views/inspect.js';
import { agentRefusal } from './agent-refusal.js';
import { LogList, type LogListPorts } from './log-list.js';
import { MAIN } from './programs.js';
import type { Style } from './terminal.js';
import { TextList } from './text-list.js';
import type { ListEffect, ListSource } from './watch-list.js';

/** What was done is shown for so long. */
const NEWS_MS = 60_000;

/** What keys do to a task that is selected in a list, and what came of it. */
export class TaskActions {
  protected readonly ports: LogListPorts;
  #news: { readonly lines: readonly string[]; readonly timeMs: number; readonly isOpen: boolean } | undefined;
  #timer: NodeJS.Timeout | undefined;
  #changed = () => {};

  constructor(ports: LogListPorts) {
    this.ports = ports;
  }

  /**
   * What was done, and when, below the list; not escaped. It goes after a minute; what is still being done stays until it is
   * over.
   */
  get news(): readonly string[] {
    const news = this.#news;
    if (news === undefined || (!news.isOpen && this.ports.now() - news.timeMs >= NEWS_MS)) return [];
    const [first = '', ...others] = news.lines;
    return [`${new Date(news.timeMs).toISOString().slice(11, 19)} ${first}`, ...others];
  }

  /** Takes what to call when there is news; it replaces what was given before. */
  listen(changed: () => void): void {
    this.#changed = changed;
  }

  /** The logs of a task, of one of its processes, or of one of its runs. */
  log({ task_id, found }: TaskView, of?: { process: string; run?: number }): ListEffect {
    const words = [task_id, ...(of === undefined ? [] : [of.process])];
    const run = of?.run === undefined ? '' : ` run ${of.run}`;
    return this.open(new LogList(visible(`Logs of ${words.join(' ')}${run}`), found, of, this.ports));
  }

  inspect({ task_id, found }: TaskView): ListEffect {
    const make = async () => {
      const inspection = await inspectFound(found, { ...this.ports, now: this.ports.now() });
      return (style: Style) => inspectText(inspection, style, {});
    };
    return this.open(new TextList(visible(task_id), make));
  }

  /** Another program ends the task: it goes on when this screen is left. */
  kill(view: TaskView): ListEffect {
    const { task_id, root, state } = view;
    if (root.agent !== undefined) return this.refuse('kill');
    if (isDone(view)) {
      this.say([`task ${task_id} is over: ${state}`]);
      return 'redraw';
    }
    const failed = `task ${task_id} was not ended`;
    return {
      question: `End task ${task_id}?`,
      yes: () => this.run(['kill', '--yes'], view, `ending task ${task_id}`, failed),
    };
  }

  /** Says what to do instead of what an agent cannot. */
  protected refuse(command: string): ListEffect {
    this.sayError(agentRefusal(command));
    return 'redraw';
  }

  protected sayError({ message, hint }: ThermosError): void {
    this.say([message, ...(hint === undefined ? [] : [`Hint: ${hint}`])]);
  }

  /** Tells what was done; without lines, nothing. `isOpen`: it is still being done. */
  protected say(lines: readonly string[], isOpen = false): void {
    clearTimeout(this.#timer);
    this.#news = lines.length === 0 ? undefined : { lines, timeMs: this.ports.now(), isOpen };
    if (lines.length > 0 && !isOpen) this.#timer = setTimeout(() => this.#changed(), NEWS_MS).unref();
  }

  /** Another list; what was done before has been read. */
  protected open(list: ListSource | (() => Promise<ListSource>)): ListEffect {
    if (this.#news?.isOpen !== true) this.say([]);
    return { open: list };
  }

  /** Runs this program in the background, and shows what it prints; `failed` is shown if it cannot be started. */
  protected run(words: readonly string[], view: TaskView, begun: string, failed: string): void {
    this.say([begun], true);
    // The task may be gone meanwhile: no other one is meant then.
    const args = [MAIN, ...words, ...rootOf(view), '--exact', '--', view.task_id];
    const child = spawn(process.execPath, args, { detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    child.unref();
    let text = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (more: string) => {
        text += more;
      });
    }
    const show = (lines: string) => {
      this.say(lines.split('\n').filter((line) => line !== ''));
      this.#changed();
    };
    child.on('error', ({ message }) => show(`${failed}: ${message}`));
    child.on('close', () => show(text));
  }
}

/** The flags with which a command finds the task, and no other of its id, also when it is over meanwhile. */
export function rootOf({ root: { path, run_dir } }: TaskView): string[] {
  return run_dir === undefined ? ['--root', path] : ['--mesos-root', run_dir];
}
