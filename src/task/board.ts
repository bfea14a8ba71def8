import type { FoundTask } from '../discovery/found.js';
import { realPathsOfOneMoment } from '../discovery/real-paths.js';
import { locateOfOneMoment, type RealPath } from '../discovery/relocate.js';
import type { Host } from '../host/host.js';
import { Directories } from '../store/directories.js';
import { TaskReader } from './reader.js';
import type { TaskView } from './view.js';

/** Reads many tasks once. Yields one view after the other, so that the caller need not keep them all in memory. */
export function* readTasks(
  tasks: Iterable<FoundTask>,
  host: Host,
  resolve: RealPath = realPathsOfOneMoment(),
): Generator<TaskView> {
  const locate = locateOfOneMoment(resolve);
  const directories = new Directories();
  try {
    for (const found of tasks) {
      yield new TaskReader(found, { history: false, once: true }).read(host, found, locate, directories);
    }
  } finally {
    directories.close();
  }
}

/** The tasks of a host, read repeatedly: of a stream that was read before, only the new part is read. */
export class TaskBoard {
  #readers = new Map<string, TaskReader>();

  /** The views of the tasks, in the given order. Forgets tasks that are no longer among them. */
  *read(tasks: Iterable<FoundTask>, host: Host): Generator<TaskView> {
    const locate = locateOfOneMoment(realPathsOfOneMoment());
    const readers = new Map<string, TaskReader>();
    const directories = new Directories();
    try {
      for (const found of tasks) {
        const key = found.checkpoint_dir;
        const reader = this.#readers.get(key) ?? new TaskReader(found, { history: false });
        readers.set(key, reader);
        yield reader.read(host, found, locate, directories);
      }
    } finally {
      directories.close();
    }
    this.#readers = readers;
  }
}
