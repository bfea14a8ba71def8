import { closeSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import { RecordLister } from '../checkpoint/follow.js';
import type { RunnerHeader } from '../checkpoint/records.js';
import { type Place, pathsOf } from '../layout/task-paths.js';

/** The header is the second record of a stream. */
const HEAD_BYTES = 16 * 1024;

/**
 * The other active tasks of a root that have the same sandbox, or the same logs: with `--sandbox`, and with the original
 * always, whose sandbox is one for all. What their processes have as well proves nothing.
 */
export class SandboxMates {
  readonly #place: Place;
  readonly #sandbox: string | undefined;
  readonly #logDir: string;
  /** Those that were looked at: what processes they have, if they are mates. */
  readonly #tasks = new Map<string, ((process: string) => boolean) | undefined>();

  constructor(place: Place, sandbox: string | undefined, logDir: string) {
    this.#place = place;
    this.#sandbox = sandbox;
    this.#logDir = logDir;
  }

  /** Tells whether they may have a process of a name; undefined if there are no such tasks. */
  processes(): ((process: string) => boolean) | undefined {
    const { root, taskId } = this.#place;
    let ids: string[];
    try {
      ids = readdirSync(`${root}/tasks/active`);
    } catch {
      return undefined;
    }
    for (const id of ids) if (id !== taskId && !this.#tasks.has(id)) this.#look(id);
    const mates = [...this.#tasks.values()].filter((has) => has !== undefined);
    return mates.length === 0 ? undefined : (process) => mates.some((has) => has(process));
  }

  #look(id: string): void {
    const paths = pathsOf({ root: this.#place.root, taskId: id });
    let header: RunnerHeader | undefined;
    try {
      header = headerIn(paths.stream);
    } catch {
      return;
    }
    if (header === undefined) return;
    const { sandbox, log_dir = `${sandbox}/.logs` } = header;
    const shares = sandbox === this.#sandbox || log_dir === this.#logDir;
    this.#tasks.set(id, shares ? processesIn(paths.active) : undefined);
  }
}

function headerIn(stream: string): RunnerHeader | undefined {
  let header: RunnerHeader | undefined;
  const lister = new RecordLister(({ type, value }) => {
    if (type === 'runner_header') header ??= value;
  });
  const fd = openSync(stream, 'r');
  try {
    const head = Buffer.allocUnsafe(HEAD_BYTES);
    lister.feed(head, 0, readSync(fd, head, 0, HEAD_BYTES, 0));
  } finally {
    closeSync(fd);
  }
  return header;
}

/** Any, where the task file doesn't say which. */
function processesIn(taskFile: string): (process: string) => boolean {
  try {
    const { processes } = JSON.parse(readFileSync(taskFile, 'utf8')) as { processes: { name: string }[] };
    const names = new Set(processes.map(({ name }) => name));
    return (process) => names.has(process);
  } catch {
    return () => true;
  }
}
