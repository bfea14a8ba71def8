import { isTerminalProcessState, type ProcessStatus } from '../checkpoint/records.js';
import type { ProcessHistory } from '../checkpoint/replay.js';
import type { FoundTask } from '../discovery/found.js';
import { listActiveTasks } from '../discovery/tasks.js';
import type { Host } from '../host/host.js';
import { mayPrecede } from '../host/start-time.js';
import type { ExactStarts } from '../layout/starts.js';
import { isSameProcess } from '../task/liveness.js';
import { TaskReader } from '../task/reader.js';
import { startsOfTask } from '../task/starts.js';
import type { TaskView } from '../task/view.js';
import type { ProcessIdentity, RunAnchor, SampledTask } from '../top/model.js';

/**
 * Finds the processes with which tasks begin. One that was certain once is so as long as it has its pid and start, so
 * that only new ones are looked at.
 */
export class SampledTasks {
  #known = new Map<string, ProcessIdentity>();

  /** Forgets what is not among these tasks. */
  of(views: readonly TaskView[], host: Host): SampledTask[] {
    const before = this.#known;
    this.#known = new Map();
    return views.map((view) => this.#task(view, host, before));
  }

  #task(view: TaskView, host: Host, before: ReadonlyMap<string, ProcessIdentity>): SampledTask {
    const { found, task_id, root, config, sandbox, log_dir, verdict, mesos } = view;
    const isMarked = verdict === 'foreign-pids';
    const key = found.checkpoint_dir;
    const uid = view.header?.uid;
    let read: ExactStarts | undefined;
    const starts = () => {
      read ??= startsOfTask(found, uid, host).starts;
      return read;
    };
    const identified = (name: string, pid: number | undefined, find: () => boolean) => {
      if (isMarked || pid === undefined) return undefined;
      const full = `${key}\n${pid} ${name}`;
      const identity = before.get(full) ?? (find() ? identityOf(host, pid) : undefined);
      if (identity !== undefined) this.#known.set(full, identity);
      return identity;
    };
    const recorded = (name: string, pid: number | undefined, time: number | undefined) =>
      identified(`${name} ${time}`, pid, () => isSameProcess(host, pid, time, uid, starts));

    let isHidden = false;
    const runs: RunAnchor[] = [];
    for (const [process, history] of view.history) {
      const run = openRun(history);
      if (run === undefined) continue;
      const coordinator = recorded(process, run.coordinator_pid, run.fork_time);
      const command = recorded(process, run.pid, run.start_time);
      if (coordinator === undefined && !isMarked && run.coordinator_pid !== undefined) {
        isHidden ||= host.presence(run.coordinator_pid) === 'hidden';
      }
      runs.push({ process, run: history.run_count - 1, pid: run.pid, coordinator, command });
    }
    const runner = isMarked
      ? identityOf(host, view.foreign_runner)
      : identified('', view.runner?.pid, () => isRunner(view, host, starts));
    isHidden ||= !isMarked && runner === undefined && host.presence(view.runner?.pid ?? 0) === 'hidden';
    // The lock says that the runner is alive, and none of the recorded pids is here: they are of another namespace.
    const isElsewhere =
      view.runner?.alive === true &&
      runner === undefined &&
      runs.every(({ coordinator, command }) => coordinator === undefined && command === undefined);
    const { cpu, ram, disk } = config?.resources ?? {};
    return {
      key,
      task_id,
      root: root.path,
      launchTimeMs: launchTimeOf(view),
      asked: { cpu, ram, disk },
      runs,
      runner,
      isForeign: isMarked || (isElsewhere && !isHidden),
      isHidden,
      container_id: mesos?.container_id,
      isShared: mesos !== undefined && isBeside(found, host),
      sandbox: sandbox?.path,
      log_dir: log_dir?.path,
    };
  }
}

/** So many tasks beside one are read: an executor has few, and anybody may have made files in the sandbox. */
const MOST_BESIDE = 16;

/** Is another task of the root active? A file without a stream is none. */
function isBeside(task: FoundTask, host: Host): boolean {
  const others = listActiveTasks(task.root).filter(({ task_id }) => task_id !== task.task_id);
  return others
    .slice(0, MOST_BESIDE)
    .some((other) => new TaskReader(other, { history: false }).read(host).state !== 'UNKNOWN');
}

/** Undefined if it is not known, or so large that JavaScript cannot count it. */
export function launchTimeOf({ launch_time_ms }: Pick<TaskView, 'launch_time_ms'>): number | undefined {
  const launched = launch_time_ms === undefined ? undefined : Number(launch_time_ms);
  return Number.isSafeInteger(launched) && (launched as number) >= 0 ? launched : undefined;
}

/** The latest run, if it has begun and is not recorded as ended. */
function openRun({ runs }: ProcessHistory): ProcessStatus | undefined {
  const run = runs.at(-1);
  return run === undefined || isTerminalProcessState(run.state) ? undefined : run;
}

/** The lock says that the runner is alive, and the process with the recorded pid existed when that was recorded. */
function isRunner({ runner, state_timestamp_ms }: TaskView, host: Host, starts: () => ExactStarts): boolean {
  const process = host.process(runner?.pid ?? 0);
  if (runner?.alive !== true || process === undefined || process.uid !== runner.uid) return false;
  const exact = starts().of(runner.pid);
  if (exact !== undefined) return process.startTimeTicks === exact;
  return mayPrecede(process.startTimeMs, Number(state_timestamp_ms ?? Number.NaN));
}

function identityOf(host: Host, pid: number | undefined): ProcessIdentity | undefined {
  const startTimeTicks = pid === undefined ? undefined : host.process(pid)?.startTimeTicks;
  return pid === undefined || startTimeTicks === undefined ? undefined : { pid, startTimeTicks };
}
