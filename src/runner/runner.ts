import type { Host } from '../host/host.js';
import type { NewTask, Runner, RunnerEvents, RunSettings } from './api.js';

/**
 * Opens a task to be run, or to be resumed if its id has been run already. Throws before anything is started
 * or recorded: UsageError for what can't be (`task-id-invalid`, `task-finished`, `task-differs`,
 * `task-running`, `user-unknown`, `user-not-root`, `sandbox-unusable`, `root-unwritable`, `task-invalid` …),
 * SystemError for a stream that can't be read.
 */
export function openTask(_task: NewTask, _settings: RunSettings, _events: RunnerEvents = {}): Runner {
  throw new Error('being built');
}

/**
 * Opens a task that lost its runner, knowing only where it is: everything else from its header and its task
 * file. Throws as `openTask`, and NotFoundError `task-not-found`.
 */
export function takeOver(
  _place: { root: string; taskId: string },
  _settings: RunSettings,
  _events: RunnerEvents = {},
): Runner {
  throw new Error('being built');
}

export type SignalResult =
  | { readonly kind: 'sent' }
  /** Nobody holds the lock: `takeOver`. */
  | { readonly kind: 'no-runner' }
  /** Somebody does, but it is not certain who (another pid namespace, a pid that is somebody else's now). */
  | { readonly kind: 'refused'; readonly why: string };

/**
 * Sends a signal to the live runner of a task, after it is certain that the pid is that of the runner:
 * SIGUSR1 asks it to end the task as KILLED, SIGUSR2 as LOST, SIGKILL ends the runner alone.
 */
export function signalRunner(
  _host: Host,
  _place: { root: string; taskId: string },
  _signal: 'SIGUSR1' | 'SIGUSR2' | 'SIGKILL',
): SignalResult {
  throw new Error('being built');
}
