import { isShortage, shortageError } from '../errors/shortage.js';
import { takeUmask } from '../host/umask.js';
import { waitOut } from '../host/wait-out.js';
import type { TaskPlace } from '../layout/task-paths.js';
import type { NewTask, Runner, RunnerEvents, RunSettings } from './api.js';
import { type OpenedTask, open, reopen } from './open.js';
import { TaskRunner } from './task-runner.js';

/**
 * Opens a task to run it, or to resume it if its id has been run already. Throws before anything is started or recorded:
 * UsageError for an impossible request (`task-id-invalid`, `task-finished`, `task-differs`, `task-running`,
 * `user-unknown`, `user-not-root`, `sandbox-unusable`, `root-unwritable`, `task-invalid` …), SystemError for a stream
 * that cannot be read, or if the machine is short of something for longer than a moment.
 */
export function openTask(task: NewTask, settings: RunSettings, events: RunnerEvents = {}): Runner {
  const all = { umask: takeUmask(), ...settings };
  return patiently(() => open(task, all), task, all, events);
}

/**
 * Opens a task that lost its runner, given only its place: all else is read from its header and its task file. Throws
 * like `openTask`, and NotFoundError `task-not-found`.
 */
export function takeOver(place: TaskPlace, settings: RunSettings, events: RunnerEvents = {}): Runner {
  const all = { umask: takeUmask(), ...settings };
  return patiently(() => reopen(place, all), place, all, events);
}

/** Nothing has been started or recorded yet, so each try is a new one. */
function patiently(
  opening: () => OpenedTask,
  { taskId }: TaskPlace,
  settings: RunSettings,
  events: RunnerEvents,
): Runner {
  let opened: OpenedTask | undefined;
  try {
    const found = waitOut(opening, 'opening', settings.patienceMs);
    opened = found;
    return waitOut(() => new TaskRunner(found, settings, events), 'opening', settings.patienceMs);
  } catch (error) {
    opened?.rollBack();
    opened?.stream.close();
    opened?.root.close();
    throw isShortage(error) ? shortageError(`task ${taskId} cannot be started`, error) : error;
  }
}
