import { errnoOf } from '../errors/errors.js';
import { Accounts } from '../host/accounts.js';
import { keyOf } from '../host/file-identity.js';
import { LAYOUTS } from '../layout/layouts.js';
import { type Beneath, type BeneathOptions, type FileKind, TreeBeneath } from '../store/beneath.js';
import { byName } from '../store/list.js';
import { realPath, statFile } from '../store/look.js';
import type { OpenFile } from '../store/open-file.js';
import { isWithin } from '../store/paths.js';
import { bytesOf, textOf } from '../store/walk.js';
import { ownerReader, readerWith } from '../task/owner-reader.js';
import type { TaskView } from '../task/view.js';
import { namesInside } from './place.js';
import { tooLargeFile, unreadableFile } from './problems.js';
import type {
  Absent,
  FileType,
  NamedType,
  Refused,
  SandboxEntry,
  SandboxFile,
  SandboxTree,
} from './sandbox-tree.js';

/** How long other sources than /etc/passwd may take for the names of all owners. */
const NAMES_MS = 1000;

/**
 * The files below a top of a task on this host. The task's user can write there and may have written its path, so root
 * reads only what that user could read, and no way leads out of it.
 */
export function localSandbox(view: TaskView, top: string): SandboxTree | Absent | Refused {
  try {
    return new LocalSandbox(new TreeBeneath(top, accessTo(view, top)));
  } catch (error) {
    return isAbsence(error) ? { absent: true } : { problem: unreadableFile(top, error) };
  }
}

function accessTo(view: TaskView, top: string): BeneathOptions {
  const layout = LAYOUTS[view.root.layout];
  const base = layout.base(view.root);
  const below = layout.ownsSandboxes || isWithin(top, base) ? base : top;
  const real = realPath(top);
  const inside = (target: string): readonly string[] | undefined => {
    const path = textOf(target);
    if (bytesOf(path) !== target) return undefined;
    const found = namesInside(path, view, top);
    if (found !== undefined || real === undefined || !isWithin(path, real)) return found;
    return bytesOf(path.slice(real.length)).split('/');
  };
  if (process.geteuid?.() !== 0) return { below, inside };
  return { below, inside, as: ownerReader(view, base) ?? readerWith(statFile(top)?.uid ?? 0) };
}

class LocalSandbox implements SandboxTree {
  readonly #tree: TreeBeneath;
  readonly #owners = new OwnerNames();

  constructor(tree: TreeBeneath) {
    this.#tree = tree;
  }

  look(names: readonly string[], follow: boolean): { entry: SandboxEntry } | Absent | Refused {
    return this.#attempt(names, () => {
      const found = this.#tree.look(names, follow);
      return found === undefined ? { absent: true as const } : { entry: this.#entry(found) };
    });
  }

  list(
    names: readonly string[],
    most: number,
  ): { entries: SandboxEntry[]; complete: boolean } | Absent | Refused {
    return this.#attempt(names, () => {
      const { entries, complete } = this.#tree.list(names, most);
      return { entries: entries.sort(byLastName).map((each) => this.#entry(each)), complete };
    });
  }

  types(
    names: readonly string[],
    most: number,
  ): { entries: NamedType[]; complete: boolean } | Absent | Refused {
    return this.#attempt(names, () => {
      const { kinds, complete } = this.#tree.kinds(names, most);
      const entries = kinds.map(({ name, kind }) => ({ name, type: typeOf(kind) }));
      return { entries: entries.sort(byName), complete };
    });
  }

  open(names: readonly string[]): { file: SandboxFile } | Absent | Refused {
    return this.#attempt(names, () => {
      const file = this.#tree.open(names);
      const { size } = file.stat;
      if (size <= Number.MAX_SAFE_INTEGER) {
        return { file: new LocalFile(file, this.#entry({ names, stat: file.stat })) };
      }
      file.close();
      return { problem: tooLargeFile(file.path, size) };
    });
  }

  close(): void {
    this.#tree.close();
  }

  #attempt<T>(names: readonly string[], action: () => T): T | Absent | Refused {
    try {
      return action();
    } catch (error) {
      if (isAbsence(error)) return { absent: true };
      return { problem: unreadableFile(this.#tree.pathOf(names), error) };
    }
  }

  #entry({ names, stat, target }: Beneath): SandboxEntry {
    const { size, blocks, mtimeMs, atimeMs, mode, uid } = stat;
    return {
      names,
      type: typeOf(stat),
      bytes: size,
      stored: blocks * 512,
      mtime_ms: mtimeMs,
      atime_ms: atimeMs,
      mode: mode & 0o7777,
      owner: this.#owners.nameOf(uid),
      target,
      id: keyOf(stat),
    };
  }
}

class LocalFile implements SandboxFile {
  readonly #file: OpenFile;
  readonly entry: SandboxEntry;

  constructor(file: OpenFile, entry: SandboxEntry) {
    this.#file = file;
    this.entry = entry;
  }

  readAt(buffer: Uint8Array, length: number, offset: number): number {
    return this.#file.readAt(buffer, 0, length, offset);
  }

  close(): void {
    this.#file.close();
  }
}

/** The names of users, each looked up once. */
class OwnerNames {
  readonly #accounts = new Accounts({ patienceMs: NAMES_MS });
  readonly #known = new Map<number, string>();

  nameOf(uid: number): string {
    let name = this.#known.get(uid);
    if (name === undefined) {
      name = this.#accounts.find(uid)?.name ?? String(uid);
      this.#known.set(uid, name);
    }
    return name;
  }
}

function typeOf(stat: FileKind): FileType {
  if (stat.isFile()) return 'file';
  if (stat.isDirectory()) return 'directory';
  if (stat.isSymbolicLink()) return 'link';
  if (stat.isFIFO()) return 'fifo';
  if (stat.isSocket()) return 'socket';
  return stat.isBlockDevice() ? 'block-device' : 'character-device';
}

function byLastName(a: Beneath, b: Beneath): number {
  const [one, other] = [a.names.at(-1) as string, b.names.at(-1) as string];
  return one < other ? -1 : one > other ? 1 : 0;
}

/** Nothing is below a file, either. */
function isAbsence(error: unknown): boolean {
  return errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR';
}
