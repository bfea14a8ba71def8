import type { FoundTask } from '../discovery/found.js';
import { realPathsOfOneMoment } from '../discovery/real-paths.js';
import { locateOfOneMoment, type RealPath } from '../discovery/relocate.js';
import type { Host } from '../host/host.js';
import { Directories } from '../store/directories.js';
import { TaskReader } from './reader.js';
import type { TaskView } from './view.js';

/** One look at many tasks: a view after the other, so that who needs no view twice holds none. */
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

/** The tasks of a host, looked at again and again: streams that were read before are only read on. */
export class TaskBoard {
  #readers = new Map<string, TaskReader>();

  /** The views of the tasks, in their order. Tasks that are not among them any more are forgotten. */
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
