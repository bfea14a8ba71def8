import { setTimeout as sleep } from 'node:timers/promises';
import type { FoundTask } from '../discovery/found.js';
import type { Problem } from '../errors/problem.js';
import { Host } from '../host/host.js';
import { callersOpenFiles } from '../host/open-files.js';
import { rootPaths } from '../layout/root-paths.js';
import type { TaskPlace } from '../layout/task-paths.js';
import { signalTask } from '../lifecycle/end-orphan.js';
import { currentUser, keepReason } from '../lifecycle/keep-reason.js';
import { endLeftovers } from '../lifecycle/leftovers.js';
import { LOCAL_PROCESSES } from '../lifecycle/local-processes.js';
import { Orphan, type TaskPlaces } from '../lifecycle/orphan.js';
import { mayExecute } from '../lifecycle/owner.js';
import type { Processes } from '../lifecycle/processes.js';
import type { CoordinatorPrograms, KillRequest } from '../runner/api.js';
import { DirectoryWatcher } from '../store/directory-watcher.js';
import { isOver } from '../task/condition.js';
import { TaskReader } from '../task/reader.js';
import type { TaskView } from '../task/view.js';
import type { EndableTask, EndProgress } from './end-task.js';

/** What ending tasks needs of the machine. */
export interface LocalMachine {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly coordinator: CoordinatorPrograms;
  readonly host?: () => Host;
  readonly processes?: Processes;
  /** Waits, by the clock of `processes`. */
  readonly sleep?: (ms: number) => Promise<unknown>;
}

/** A task whose directories do not change is read again after this time. */
const LOOK_MS = 1000;
/** The time between checks whether the processes of a task without a runner have ended. */
const ORPHAN_LOOK_MS = 50;

const KILL = 'thermos kill';

/** A task on the disk of this machine. */
export class LocalTask implements EndableTask {
  readonly #found: FoundTask;
  readonly #place: TaskPlace;
  readonly #machine: Required<LocalMachine>;

  constructor(found: FoundTask, machine: LocalMachine) {
    this.#found = found;
    this.#place = { root: found.root.path, taskId: found.task_id };
    this.#machine = { host: Host.snapshots(), processes: LOCAL_PROCESSES, sleep, ...machine };
  }

  get mayExecute(): boolean {
    return mayExecute(this.#place.root);
  }

  look(): TaskView {
    return this.#reader().read(this.#machine.host());
  }

  signalRunner(signal: 'SIGUSR1' | 'SIGUSR2' | 'SIGKILL') {
    const sent = signalTask(this.#place, signal, this.#machine.processes);
    // Its runner knows only which signal came.
    if (sent.kind === 'sent' && signal !== 'SIGKILL')
      this.#keepAsked(signal === 'SIGUSR2' ? 'LOST' : 'KILLED');
    return sent;
  }

  async waitForRunner(mostMs: number): Promise<'over' | 'gone' | 'lives'> {
    const watcher = new DirectoryWatcher();
    const { processes } = this.#machine;
    const deadline = processes.clock() + mostMs;
    const reader = this.#reader();
    const { checkpoint_dir, root } = this.#found;
    try {
      for (;;) {
        const view = reader.read(this.#machine.host());
        if (isOver(view) && view.phase === 'finished') return 'over';
        if (view.runner?.alive !== true) return 'gone';
        const left = deadline - processes.clock();
        if (left <= 0) return 'lives';
        watcher.watch(checkpoint_dir);
        watcher.watch(rootPaths(root.path).active);
        await watcher.changes(Math.min(left, LOOK_MS));
        watcher.take();
      }
    } finally {
      watcher.close();
    }
  }

  isHalted(pid: number): boolean {
    return this.#machine.processes.look(pid)?.halt !== undefined;
  }

  async takeOver() {
    const { takeOver } = await import('../runner/runner.js');
    const { coordinator, now } = this.#machine;
    const runner = takeOver(this.#place, { coordinator, openFiles: callersOpenFiles(), now });
    return {
      kill: (request: KillRequest) =>
        runner.kill({ ...request, asked: { what: KILL, by: currentUser(process.env) } }),
      run: () => runner.run(),
    };
  }

  async endOrphan({ state, wait = 0, now: atOnce }: KillRequest, ending: EndProgress): Promise<void> {
    const { processes, sleep, now } = this.#machine;
    const known = new Set(ending.signalled);
    const signalled = (pids: readonly number[]) => {
      for (const pid of pids) if (!known.has(pid)) ending.signalled.push(pid);
      for (const pid of pids) known.add(pid);
    };
    const met = (problems: readonly Problem[]) => {
      for (const each of problems) ending.problems.push(each);
    };
    const orphan = new Orphan(this.#place, placesOf(this.look()), processes);
    try {
      if (orphan.damage !== undefined) {
        // Nothing can be recorded after the damage, but the live processes are known.
        const ended = orphan.endProcesses();
        signalled(ended.signalled);
        met(ended.problems);
        throw orphan.damage;
      }
      if (!orphan.isOver) this.#keepAsked(state, atOnce);
      if (!atOnce && wait > 0 && !orphan.isOver) {
        signalled(orphan.alive());
        met(orphan.ask(now()));
        const deadline = processes.clock() + wait * 1000;
        while (orphan.alive().length > 0 && processes.clock() < deadline) await sleep(ORPHAN_LOOK_MS);
      }
      const ended = orphan.end(state, now);
      signalled(ended.signalled);
      met(ended.problems);
    } finally {
      orphan.close();
    }
  }

  endLeftovers() {
    return endLeftovers(this.#place, placesOf(this.look()), this.#machine.processes);
  }

  #keepAsked(state: KillRequest['state'], atOnce = false): void {
    const time_ms = Math.round(this.#machine.now());
    const by = currentUser(process.env);
    const code = state === 'LOST' ? 'task-lost' : 'task-killed';
    const message = `${KILL}${atOnce ? ' --now' : ''}${state === 'LOST' ? ' --lose' : ''}`;
    keepReason(this.#place, { time_ms, code, message, by }, this.look().header?.uid);
  }

  #reader(): TaskReader {
    return new TaskReader(this.#found, { history: false });
  }
}

function placesOf({ sandbox, log_dir }: TaskView): TaskPlaces {
  return { sandbox: sandbox?.path, logDir: log_dir?.path };
}
