import { spawn } from 'node:child_process';
import { type ExecTarget, execTarget, LOCAL_MACHINE } from '../app/exec.js';
import { inspectFound } from '../app/inspect.js';
import { rootFlagsOf, thermosCommand } from '../discovery/advised-command.js';
import { ThermosError } from '../errors/errors.js';
import { Host } from '../host/host.js';
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
  readonly #sampling: () => Promise<TopSession>;
  #session: TopSession | undefined;

  /** `sampling`: begins to sample the tasks; called once, and only if somebody wants to see it. */
  constructor(ports: LogListPorts, sampling: () => Promise<TopSession>) {
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
    // Which process uses what, no agent knows.
    const processes = view !== undefined && view.root.agent === undefined;
    return this.open(async () => {
      this.#session ??= await this.#sampling();
      const session = { ...this.#session, flags: { ...this.#session.flags, processes } };
      return new TopList(session, this, view);
    });
  }

  report(view: TaskView): ListEffect {
    const { task_id, root } = view;
    if (root.agent !== undefined) {
      const command = thermosCommand(['report'], rootFlagsOf(root), [task_id]);
      this.say([`write the page of the task with: ${command}`]);
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
      this.say([`${dashed} begins with a dash, so exec would take it for a flag`]);
      return 'redraw';
    }
    const place = root.run_dir === undefined ? { root: [root.path] } : { 'mesos-root': [root.run_dir] };
    const options = { roots: { ...place, exact: true }, task: task_id, process, namespaces: true };
    let target: ExecTarget;
    try {
      target = execTarget(options, LOCAL_MACHINE);
    } catch (error) {
      if (!(error instanceof ThermosError)) throw error;
      this.sayError(error);
      return 'redraw';
    }
    const words = [...rootOf(view), '--exact', task_id, ...(process === undefined ? [] : [process])];
    return {
      intro: shellIntro(target),
      lend: () => spawn(globalThis.process.execPath, [MAIN, 'exec', ...words], { stdio: 'inherit' }),
      ended: (by) => this.say(by === 0 ? [] : [`the shell ended with ${by}`]),
    };
  }
}

/** What a prompt does not say: whose shell it is, and how to leave it. */
function shellIntro({ task_id, process, pid, uid }: ExecTarget): string[] {
  const user = Host.local().userName(uid) ?? `uid ${uid}`;
  const beside = process === undefined ? `process ${pid}` : `process ${process}`;
  return [`Shell of ${user} beside ${beside} of task ${task_id}.`, 'exit or Ctrl-D leads back to the list.'];
}
