import { spawn } from 'node:child_process';
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

/** What keys do to a task that is selected in a list, and what came of it. */
export class TaskActions {
  protected readonly ports: LogListPorts;
  /** What was done, below the list; not escaped. */
  news: readonly string[] = [];
  #changed = () => {};

  constructor(ports: LogListPorts) {
    this.ports = ports;
  }

  /** Gives what to call when there is news: only who has asked last is told. */
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
    const { task_id, root } = view;
    if (root.agent !== undefined) return this.refuse('kill');
    const failed = `task ${task_id} was not ended`;
    return {
      question: `End task ${task_id}?`,
      yes: () => this.run(['kill', '--yes'], view, `ending task ${task_id}`, failed),
    };
  }

  /** Says what to do instead of what an agent cannot. */
  protected refuse(command: string): ListEffect {
    this.tell(agentRefusal(command));
    return 'redraw';
  }

  protected tell({ message, hint }: ThermosError): void {
    this.news = [message, ...(hint === undefined ? [] : [`Hint: ${hint}`])];
  }

  /** Another list; what was done before has been read. */
  protected open(list: ListSource): ListEffect {
    this.news = [];
    return { open: list };
  }

  /** Runs this program in the background, and tells what it says; `failed`: what is to say if it cannot be started. */
  protected run(words: readonly string[], view: TaskView, begun: string, failed: string): void {
    this.news = [begun];
    const child = spawn(process.execPath, [MAIN, ...words, ...rootOf(view), '--', view.task_id], {
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
      this.news = lines.split('\n').filter((line) => line !== '');
      this.#changed();
    };
    child.on('error', ({ message }) => tell(`${failed}: ${message}`));
    child.on('close', () => tell(text));
  }
}

/** The flags with which a command finds the task, and no other of its id, also when it is over meanwhile. */
export function rootOf({ root: { path, run_dir } }: TaskView): string[] {
  return run_dir === undefined ? ['--root', path] : ['--mesos-root', run_dir];
}
