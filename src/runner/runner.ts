import { RecordLister } from '../checkpoint/follow.js';
import { readStream } from '../checkpoint/reader.js';
import type { TaskStatus } from '../checkpoint/records.js';
import { errnoOf } from '../errors/errors.js';
import { holdsLock } from '../host/held-lock.js';
import type { Host } from '../host/host.js';
import { takeUmask } from '../host/umask.js';
import { type Place, pathsOf } from '../layout/task-paths.js';
import { type FileStat, useFile } from '../store/open-file.js';
import type { NewTask, Runner, RunnerEvents, RunSettings } from './api.js';
import { open, reopen } from './open.js';
import { TaskRunner } from './task-runner.js';

/**
 * Opens a task to be run, or to be resumed if its id has been run already. Throws before anything is started
 * or recorded: UsageError for what can't be (`task-id-invalid`, `task-finished`, `task-differs`,
 * `task-running`, `user-unknown`, `user-not-root`, `sandbox-unusable`, `root-unwritable`, `task-invalid` …),
 * SystemError for a stream that can't be read.
 */
export function openTask(task: NewTask, settings: RunSettings, events: RunnerEvents = {}): Runner {
  const all = { umask: takeUmask(), ...settings };
  return new TaskRunner(open(task, all), all, events);
}

/**
 * Opens a task that lost its runner, knowing only where it is: everything else from its header and its task
 * file. Throws as `openTask`, and NotFoundError `task-not-found`.
 */
export function takeOver(place: Place, settings: RunSettings, events: RunnerEvents = {}): Runner {
  const all = { umask: takeUmask(), ...settings };
  return new TaskRunner(reopen(place, all), all, events);
}

export type SignalResult =
  | { readonly kind: 'sent'; readonly pid: number }
  /** Nobody holds the lock: `takeOver`. */
  | { readonly kind: 'no-runner' }
  /** Somebody does, but it is not certain who (another pid namespace, a pid that is somebody else's now). */
  | { readonly kind: 'refused'; readonly why: string };

/**
 * Sends a signal to the live runner of a task, after it is certain that the pid is that of the runner:
 * SIGUSR1 asks it to end the task as KILLED, SIGUSR2 as LOST, SIGKILL ends the runner alone. `host` must be
 * new: it is what it was when it was made.
 */
export function signalRunner(
  host: Host,
  place: Place,
  signal: 'SIGUSR1' | 'SIGUSR2' | 'SIGKILL',
): SignalResult {
  const { stream } = pathsOf(place);
  let file: FileStat;
  let last: TaskStatus | undefined;
  try {
    file = useFile(stream, { below: place.root }, (opened) => {
      const lister = new RecordLister(({ type, value }) => {
        if (type === 'task_status') last = value;
      });
      return readStream(opened, lister).stat;
    });
  } catch (error) {
    return { kind: 'refused', why: `its stream can't be read: ${(error as Error).message}` };
  }
  const locked = host.isLocked(file);
  if (locked === false) return { kind: 'no-runner' };
  const pid = last?.runner_pid;
  if (pid === undefined) return { kind: 'refused', why: 'its stream does not say who its runner is' };
  const runner = host.process(pid);
  // In a sandbox of its own the runner has another pid than the one it knows.
  const holds = runner !== undefined && holdsLock(pid, file);
  if (holds === undefined) {
    return {
      kind: 'refused',
      why: `process ${pid} is somebody else's: it can't be seen whether it is its runner`,
    };
  }
  if (!holds && locked === undefined) return { kind: 'no-runner' };
  if (!holds) {
    return {
      kind: 'refused',
      why: `its runner is not process ${pid} here, as it says: another pid namespace?`,
    };
  }
  try {
    process.kill(pid, signal);
    return { kind: 'sent', pid };
  } catch (error) {
    if (errnoOf(error) === 'ESRCH') return { kind: 'no-runner' };
    return { kind: 'refused', why: `process ${pid} can't be signalled: ${(error as Error).message}` };
  }
}
