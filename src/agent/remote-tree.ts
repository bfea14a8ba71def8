import { SystemError } from '../errors/errors.js';
import type { Problem } from '../errors/problem.js';
import type {
  Absent,
  FileType,
  NamedType,
  Refused,
  SandboxEntry,
  SandboxFile,
  SandboxTree,
} from '../sandbox/sandbox-tree.js';
import { bytesOf, textOf } from '../store/walk.js';
import { PIECE_BYTES } from './agent-files.js';
import type { RemoteEntry } from './answers.js';
import type { Sandbox } from './sandbox.js';

/** By the first letter of a mode. */
const TYPES: Readonly<Record<string, FileType>> = {
  '-': 'file',
  d: 'directory',
  l: 'link',
  p: 'fifo',
  s: 'socket',
  b: 'block-device',
  c: 'character-device',
};

/**
 * The files of a sandbox on the host of an agent. The agent follows links, as long as they stay in the sandbox, and does not
 * say so: there are no links here.
 */
export class RemoteTree implements SandboxTree {
  readonly #sandbox: Sandbox;

  constructor(sandbox: Sandbox) {
    this.#sandbox = sandbox;
  }

  async look(names: readonly string[]): Promise<{ entry: SandboxEntry } | Absent | Refused> {
    const way = plain(names);
    if (way.length === 0) return this.#top();
    const entry = await this.#sandbox.entry(this.#pathOf(way));
    if (entry === 'absent') return { absent: true };
    if (entry === 'refused') return { problem: this.#notGiven(way) };
    return { entry: entryOf(way, entry) };
  }

  async list(
    names: readonly string[],
    most: number,
  ): Promise<{ entries: SandboxEntry[]; complete: boolean } | Absent | Refused> {
    const way = plain(names);
    const listed = await this.#sandbox.list(this.#pathOf(way));
    if (listed === 'absent') return { absent: true };
    if (listed === 'refused') return { problem: this.#notGiven(way) };
    const entries = listed.entries.slice(0, most).map((each) => entryOf([...way, bytesOf(each.name)], each));
    return { entries, complete: listed.complete && listed.entries.length <= most };
  }

  async types(
    names: readonly string[],
    most: number,
  ): Promise<{ entries: NamedType[]; complete: boolean } | Absent | Refused> {
    const listed = await this.list(names, most);
    if (!('entries' in listed)) return listed;
    const entries = listed.entries.map((entry) => ({ name: entry.names.at(-1) ?? '', type: entry.type }));
    return { ...listed, entries };
  }

  async open(names: readonly string[]): Promise<{ file: SandboxFile } | Absent | Refused> {
    const looked = await this.look(names);
    if (!('entry' in looked)) return looked;
    return { file: new RemoteFile(this.#sandbox, this.#pathOf(looked.entry.names), looked.entry) };
  }

  close(): void {}

  /** The directory above it is not given: what is known of the sandbox itself is what is in it. */
  async #top(): Promise<{ entry: SandboxEntry } | Absent | Refused> {
    const listed = await this.#sandbox.list(this.#sandbox.directory);
    if (listed === 'absent') return { absent: true };
    if (listed === 'refused') return { problem: this.#notGiven([]) };
    const newest = listed.entries.reduce((last, { mtimeMs }) => Math.max(last, mtimeMs), 0);
    return {
      entry: { names: [], type: 'directory', bytes: 0, mtime_ms: newest, mode: 0o755, owner: '' },
    };
  }

  #pathOf(way: readonly string[]): string {
    return [this.#sandbox.directory, ...way.map(textOf)].join('/');
  }

  #notGiven(way: readonly string[]): Problem {
    return unreadable(this.#pathOf(way), this.#sandbox);
  }
}

class RemoteFile implements SandboxFile {
  readonly #sandbox: Sandbox;
  readonly #path: string;

  constructor(
    sandbox: Sandbox,
    path: string,
    readonly entry: SandboxEntry,
  ) {
    this.#sandbox = sandbox;
    this.#path = path;
  }

  /** Rejects with SystemError if the agent no longer gives the file: it did not end there. */
  async readAt(buffer: Uint8Array, length: number, offset: number): Promise<number> {
    let count = 0;
    while (count < length) {
      const wanted = Math.min(length - count, PIECE_BYTES);
      const piece = await this.#sandbox.read(this.#path, offset + count, wanted);
      if (piece === undefined) {
        const { code, message, hint } = unreadable(this.#path, this.#sandbox);
        throw new SystemError(code, message, hint);
      }
      buffer.set(piece, count);
      count += piece.length;
      if (piece.length === 0) break;
    }
    return count;
  }

  close(): void {}
}

/** Without `..`: there are no links on the way. */
function plain(names: readonly string[]): string[] {
  const way: string[] = [];
  for (const name of names) {
    if (name === '..') way.pop();
    else way.push(name);
  }
  return way;
}

function entryOf(names: readonly string[], { mode, size, mtimeMs, owner }: RemoteEntry): SandboxEntry {
  return {
    names,
    type: TYPES[mode.charAt(0)] ?? 'file',
    bytes: size,
    mtime_ms: mtimeMs,
    mode: bitsOf(mode),
    owner,
  };
}

/** `-rwsr-xr-x`: the permission bits, with those of setuid, setgid and sticky. */
function bitsOf(mode: string): number {
  let bits = 0;
  for (const [i, letter] of [...mode.slice(1)].entries()) {
    if (/[rwxst]/.test(letter)) bits |= 0o400 >> i;
    if (/[sStT]/.test(letter)) bits |= [0o4000, 0o2000, 0o1000][Math.floor(i / 3)] ?? 0;
  }
  return bits;
}

function unreadable(path: string, { failure }: Sandbox): Problem {
  const why = failure?.message ?? 'the agent does not let you read it';
  return {
    code: 'file-unreadable',
    severity: 'error',
    message: `cannot read ${path}: ${why}`,
    path,
    hint: failure?.hint,
  };
}
