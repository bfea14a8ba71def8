import { spawn } from 'node:child_process';
import { execTarget, LOCAL_MACHINE } from '../app/exec.js';
import { inspectFound } from '../app/inspect.js';
import { rootFlagsOf, thermosCommand } from '../discovery/advised-command.js';
import { ThermosError } from '../errors/errors.js';
import type { TaskView } from '../task/view.js';
import { visible } from '../text/escape.js';
import { whyPage } from '../views/inspect.js';
import type { LogListPorts } from './log-list.js';
import { MAIN } from './programs.js';
import { rootOf, TaskActions } from './task-actions.js';
import type { Style } from './terminal.js';
import { TextList } from './text-list.js';
import type { TopSession } from './top.js';
import { TopList } from './top-list.js';
import type { ListEffect } from './watch-list.js';

/** What keys of `ui` do to a task. Of a task elsewhere they show what an agent tells, and say what to do instead of the rest. */
export class UiActions extends TaskActions {
  readonly #sampling: () => TopSession;
  #session: TopSession | undefined;

  /** `sampling`: begins to sample this host; called once, and only if somebody wants to see it. */
  constructor(ports: LogListPorts, sampling: () => TopSession) {
    super(ports);
    this.#sampling = sampling;
  }

  why({ task_id, found }: TaskView): ListEffect {
    const make = async () => {
      const inspection = await inspectFound(found, { ...this.ports, now: this.ports.now() });
      return (style: Style) => whyPage(inspection, style);
    };
    return this.open(new TextList(visible(`Why ${task_id} is in its state`), make));
  }

  /** What all tasks use; with a task, what its processes use. */
  top(view?: TaskView): ListEffect {
    this.#session ??= this.#sampling();
    const { flags } = this.#session;
    // Which process uses what, no agent knows.
    const processes = view !== undefined && view.root.agent === undefined;
    const session = { ...this.#session, flags: { ...flags, processes } };
    return this.open(new TopList(session, this, view?.found.checkpoint_dir));
  }

  report(view: TaskView): ListEffect {
    const { task_id, root } = view;
    if (root.agent !== undefined) {
      this.news = [
        `write the page of the task with: ${thermosCommand(['report'], rootFlagsOf(root), [task_id])}`,
      ];
      return 'redraw';
    }
    const failed = `the page of ${task_id} was not written`;
    return {
      question: `Write the page of task ${task_id} into this directory?`,
      yes: () => this.run(['report'], view, `writing the page of ${task_id}`, failed),
    };
  }

  /** A shell beside a process of the task, the first one that runs if none is named. */
  exec(view: TaskView, process?: string): ListEffect {
    if (view.root.agent !== undefined) return this.refuse('exec');
    const { task_id, root } = view;
    const dashed = [task_id, process].find((word) => word?.startsWith('-'));
    if (dashed !== undefined) {
      this.news = [`${dashed} begins with a dash, so exec would take it for a flag`];
      return 'redraw';
    }
    const roots = root.run_dir === undefined ? { root: [root.path] } : { 'mesos-root': [root.run_dir] };
    const options = { roots, task: task_id, process, namespaces: true };
    try {
      execTarget(options, LOCAL_MACHINE);
    } catch (error) {
      if (!(error instanceof ThermosError)) throw error;
      this.tell(error);
      return 'redraw';
    }
    const words = [...rootOf(view), task_id, ...(process === undefined ? [] : [process])];
    return {
      lend: () => spawn(globalThis.process.execPath, [MAIN, 'exec', ...words], { stdio: 'inherit' }),
      ended: (by) => {
        this.news = by === 0 ? [] : [`the shell ended with ${by}`];
      },
    };
  }
}
