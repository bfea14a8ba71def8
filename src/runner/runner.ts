import { takeUmask } from '../host/umask.js';
import type { TaskPlace } from '../layout/task-paths.js';
import type { NewTask, Runner, RunnerEvents, RunSettings } from './api.js';
import { open, reopen } from './open.js';
import { TaskRunner } from './task-runner.js';

/**
 * Opens a task to run it, or to resume it if its id has been run already. Throws before anything is started or recorded:
 * UsageError for an impossible request (`task-id-invalid`, `task-finished`, `task-differs`, `task-running`,
 * `user-unknown`, `user-not-root`, `sandbox-unusable`, `root-unwritable`, `task-invalid` …), SystemError for a stream
 * that cannot be read.
 */
export function openTask(task: NewTask, settings: RunSettings, events: RunnerEvents = {}): Runner {
  const all = { umask: takeUmask(), ...settings };
  return new TaskRunner(open(task, all), all, events);
}

/**
 * Opens a task that lost its runner, given only its place: all else is read from its header and its task file. Throws
 * like `openTask`, and NotFoundError `task-not-found`.
 */
export function takeOver(place: TaskPlace, settings: RunSettings, events: RunnerEvents = {}): Runner {
  const all = { umask: takeUmask(), ...settings };
  return new TaskRunner(reopen(place, all), all, events);
}
