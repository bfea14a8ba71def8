import { MOST_ENTRIES } from '../layout/limits.js';
import { defaultLogDir } from '../layout/log-paths.js';
import { rootPaths } from '../layout/root-paths.js';
import { pathsOf, type TaskPlace } from '../layout/task-paths.js';
import { listDirectory } from '../store/list.js';
import { readHeader } from '../task/header.js';
import { readTaskFile } from '../task/task-file.js';
import { baseOf } from './trust.js';

/**
 * The other active tasks of a root with the same sandbox or logs: possible with `--sandbox`, and usual with the original,
 * where all tasks share one sandbox. Properties that their processes share prove nothing.
 */
export class SandboxSharing {
  readonly #place: TaskPlace;
  readonly #sandbox: string | undefined;
  readonly #logDir: string;
  /** The tasks checked so far; for those that share, a predicate for their processes. */
  readonly #tasks = new Map<string, ((process: string) => boolean) | undefined>();

  constructor(place: TaskPlace, sandbox: string | undefined, logDir: string) {
    this.#place = place;
    this.#sandbox = sandbox;
    this.#logDir = logDir;
  }

  /** A predicate: may these tasks have a process of this name? Undefined if there are no such tasks. */
  processes(): ((process: string) => boolean) | undefined {
    const { root, taskId } = this.#place;
    let ids: string[];
    try {
      const { entries } = listDirectory(rootPaths(root).active, {
        below: baseOf(root),
        max: MOST_ENTRIES.tasks,
      });
      ids = entries.map(({ name }) => name);
    } catch {
      return undefined;
    }
    for (const id of ids) if (id !== taskId && !this.#tasks.has(id)) this.#look(id);
    const sharing = [...this.#tasks.values()].filter((has) => has !== undefined);
    return sharing.length === 0 ? undefined : (process) => sharing.some((has) => has(process));
  }

  /** A task without a header may still get one, so it is checked again. */
  #look(id: string): void {
    const paths = pathsOf({ root: this.#place.root, taskId: id });
    const below = baseOf(this.#place.root);
    const header = readHeader(paths.stream, below);
    if (header === null) return;
    const { sandbox, log_dir = sandbox && defaultLogDir(sandbox) } = header;
    const shares = sandbox === this.#sandbox || log_dir === this.#logDir;
    this.#tasks.set(id, shares ? processesIn(paths.active, below) : undefined);
  }
}

/** Any process, if the task file does not name them. */
function processesIn(taskFile: string, below: string): (process: string) => boolean {
  const { config } = readTaskFile(taskFile, { below });
  if (config === undefined) return () => true;
  const names = new Set(config.processes.map(({ name }) => name));
  return (process) => names.has(process);
}
