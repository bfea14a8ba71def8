import type { FoundTask } from '../discovery/found.js';
import { MaterialReader, type TaskReaderOptions } from './material.js';
import { type TaskView, viewOf } from './view.js';

/** Reads a task on this host as a view, repeatedly if needed; see `MaterialReader`. */
export class TaskReader {
  readonly #material: MaterialReader;

  constructor(found: FoundTask, options: TaskReaderOptions) {
    this.#material = new MaterialReader(found, options);
  }

  read(...moment: Parameters<MaterialReader['gather']>): TaskView {
    return viewOf(this.#material.gather(...moment));
  }
}
