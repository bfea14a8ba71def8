import type { FoundTask } from '../discovery/found.js';
import { realPathsOfOneMoment } from '../discovery/real-paths.js';
import type { Host } from '../host/host.js';
import { TaskReader, type TaskView } from './view.js';

/** The tasks of a host, read as often as wanted; streams that were read before are only read on. */
export class TaskBoard {
  #readers = new Map<string, TaskReader>();

  /** The views of the tasks, in their order. Tasks that are not among them any more are forgotten. */
  read(tasks: readonly FoundTask[], host: Host): TaskView[] {
    const resolve = realPathsOfOneMoment();
    const readers = new Map<string, TaskReader>();
    const views = tasks.map((found) => {
      const key = found.checkpoint_dir;
      const reader = this.#readers.get(key) ?? new TaskReader(found, { history: false });
      readers.set(key, reader);
      return reader.read(host, found, resolve);
    });
    this.#readers = readers;
    return views;
  }
}
