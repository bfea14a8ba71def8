import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  realpathSync,
  type Stats,
  statSync,
} from 'node:fs';
import { basename, extname } from 'node:path';
import { type Answer, failure, jsonAnswer, type Query } from './answer.js';
import { type Bytes, bufferOf, bytesOf, isBefore, type Json } from './bytes.js';

/** Sixteen pages of memory: as much as one call of `read` gives. */
export const READ_LIMIT = 16 * 4096;

/**
 * What the names of downloaded files say about their type (libprocess, mime.cpp). What is not here, such as `.svg`,
 * `.json` and `.log`, is `application/octet-stream`.
 */
const TYPES: Readonly<Record<string, string>> = {
  '.bmp': 'image/x-ms-bmp',
  '.c': 'text/plain',
  '.css': 'text/css',
  '.gif': 'image/gif',
  '.htm': 'text/html',
  '.html': 'text/html',
  '.jpeg': 'image/jpeg',
  '.jpg': 'image/jpeg',
  '.js': 'application/x-javascript',
  '.pdf': 'application/pdf',
  '.pl': 'text/plain',
  '.png': 'image/png',
  '.py': 'text/x-python',
  '.sh': 'application/x-sh',
  '.tar': 'application/x-tar',
  '.tsv': 'text/tab-separated-values',
  '.txt': 'text/plain',
  '.xml': 'text/xml',
  '.zip': 'application/zip',
};

/** As the operator API takes it. */
export interface ReadFileCall {
  path: string;
  offset: number;
  length?: number;
}

/** A name that is served, and where it leads. `undefined`: nothing is there. */
type Resolved = { path: Bytes } | { error: Bytes } | undefined;

/** The files that an agent serves, under the names that it gave them. */
export class Files {
  readonly #attached = new Map<Bytes, Bytes>();

  constructor(readonly version: string) {}

  /** Serves a file or a directory and everything in it by a name. */
  attach(path: string, name: string): void {
    this.#attached.set(bytesOf(name.replace(/\/$/, '')), realpath(bytesOf(path)));
  }

  detach(name: string): void {
    this.#attached.delete(bytesOf(name));
  }

  debug(query: Query): Answer {
    return jsonAnswer(Object.fromEntries(this.#attached), query, this.version);
  }

  browse(query: Query): Answer {
    const name = query.get('path');
    if (!name) return MISSING_PATH;
    const resolved = this.#resolve(name);
    if (resolved === undefined) return failure(404);
    if ('error' in resolved) {
      return failure(isBefore(this.version, '1.0.0') ? 500 : 400, `${resolved.error}.\n`);
    }
    return jsonAnswer(listing(resolved.path, name.replace(/\/$/, '')), query, this.version);
  }

  read(query: Query): Answer {
    const name = query.get('path');
    if (!name) return MISSING_PATH;
    const [offset, length] = [numberOf(query.get('offset')), numberOf(query.get('length'))];
    if (offset === undefined) return failure(400, 'Failed to parse offset: Failed to convert to number.\n');
    if (length === undefined) return failure(400, 'Failed to parse length: Failed to convert to number.\n');
    if (offset < -1) return failure(400, 'Negative offset provided.\n');
    if (length < -1) return failure(400, 'Negative length provided.\n');
    const resolved = this.#resolve(name);
    if (resolved === undefined) return failure(404);
    if ('error' in resolved) return failure(400, `${resolved.error}.\n`);
    if (statSync(bufferOf(resolved.path)).isDirectory()) return failure(400, 'Cannot read a directory.\n');
    return this.#page(resolved.path, offset, length, query);
  }

  /** READ_FILE of the operator API: the bytes in base64, and the size that the file has. */
  readCall({ path, offset, length = -1 }: ReadFileCall): Answer {
    const answer = this.read(
      new Map([
        ['path', bytesOf(path)],
        ['offset', String(offset)],
        ['length', String(length)],
      ]),
    );
    // Without a body, unlike that of a file.
    if (answer.status !== 200) return failure(answer.status);
    const { data } = JSON.parse(answer.body as Bytes) as { data: Bytes };
    const resolved = this.#resolve(bytesOf(path)) as { path: Bytes };
    const { size } = statSync(bufferOf(resolved.path));
    const read_file = { data: bufferOf(data).toString('base64'), size };
    return {
      status: 200,
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ type: 'READ_FILE', read_file }),
    };
  }

  /** LIST_FILES of the operator API: modes as numbers, times in nanoseconds. */
  listCall({ path }: { path: string }): Answer {
    const resolved = this.#resolve(bytesOf(path));
    // Without a body, unlike that of a directory.
    if (resolved === undefined) return failure(404);
    if ('error' in resolved) return failure(400);
    const names = listing(resolved.path, bytesOf(path.replace(/\/$/, ''))) as {
      path: Bytes;
      mtime: number;
    }[];
    const file_infos = names.map((info) => {
      const { mode } = statSync(
        bufferOf(`${resolved.path}/${info.path.slice(info.path.lastIndexOf('/') + 1)}`),
      );
      return { ...info, mode, mtime: { nanoseconds: info.mtime * 1_000_000_000 } };
    });
    return jsonAnswer({ type: 'LIST_FILES', list_files: { file_infos } }, new Map(), this.version);
  }

  /** The part of a file from an offset on; only the size of the file if the offset is -1. */
  #page(path: Bytes, offset: number, length: number, query: Query): Answer {
    let fd: number;
    try {
      // A pipe that nobody writes to must not stop all agents.
      fd = openSync(bufferOf(path), constants.O_RDONLY | constants.O_NONBLOCK);
    } catch (error) {
      return failure(500, `Failed to open file at '${path}': ${(error as Error).message}.\n`);
    }
    try {
      const { size } = fstatSync(fd);
      if (offset === -1 || offset >= size) {
        const echoed = offset === -1 || isBefore(this.version, '1.1.0') ? size : offset;
        return jsonAnswer({ data: '', offset: echoed }, query, this.version);
      }
      const wanted = length === -1 ? size - offset : length;
      const buffer = Buffer.alloc(Math.min(wanted, READ_LIMIT));
      const count = readSync(fd, buffer, 0, buffer.length, offset);
      const data = buffer.toString('latin1', 0, count);
      return jsonAnswer({ data, offset }, query, this.version);
    } finally {
      closeSync(fd);
    }
  }

  download(query: Query): Answer {
    const name = query.get('path');
    if (!name) return MISSING_PATH;
    const resolved = this.#resolve(name);
    if (resolved === undefined) return failure(404);
    if ('error' in resolved) return failure(400, `${resolved.error}.\n`);
    const stats = statSync(bufferOf(resolved.path));
    if (stats.isDirectory()) return failure(400, 'Cannot download a directory.\n');
    return {
      status: 200,
      headers: {
        'Content-Type': TYPES[extname(resolved.path)] ?? 'application/octet-stream',
        'Content-Disposition': `attachment; filename=${basename(resolved.path)}`,
      },
      body: { path: bufferOf(resolved.path), bytes: stats.size },
    };
  }

  /** By the longest name that was attached. A path that leaves what was attached is an error. */
  #resolve(name: Bytes): Resolved {
    const parts = name.replace(/\/$/, '').split('/');
    for (let count = parts.length; count > 0; count -= 1) {
      const root = this.#attached.get(parts.slice(0, count).join('/'));
      if (root === undefined) continue;
      const rest = parts.slice(count).join('/');
      try {
        if (rest !== '' && !statSync(bufferOf(root)).isDirectory()) return undefined;
        const path = realpath(rest === '' ? root : `${root}/${rest}`);
        if (path !== root && !path.startsWith(`${root}/`))
          return { error: `'${root}/${rest}' is inaccessible` };
        return { path };
      } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException;
        if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
        return { error: `Failed to determine canonical path of '${root}/${rest}': ${message}` };
      }
    }
    return undefined;
  }
}

const MISSING_PATH = failure(400, "Expecting 'path=value' in query.\n");

/** -1 if it is not given, undefined if it is not a number. */
function numberOf(text: Bytes | undefined): number | undefined {
  if (text === undefined) return -1;
  return /^-?\d+$/.test(text) ? Number(text) : undefined;
}

function realpath(path: Bytes): Bytes {
  // The other form of it takes no bytes.
  return realpathSync.native(bufferOf(path), 'buffer').toString('latin1');
}

/** What is in a directory, with links followed; nothing if it is a file or cannot be listed. */
function listing(path: Bytes, name: Bytes): Json {
  let entries: Bytes[];
  try {
    entries = readdirSync(bufferOf(path), 'buffer').map((entry) => entry.toString('latin1'));
  } catch {
    return [];
  }
  return entries.sort().flatMap((entry) => {
    try {
      return [fileInfo(`${name}/${entry}`, statSync(bufferOf(`${path}/${entry}`)))];
    } catch {
      // A link that leads nowhere, or a file that is gone.
      return [];
    }
  });
}

function fileInfo(path: Bytes, stats: Stats): Json {
  return {
    gid: nameOf('/etc/group', stats.gid),
    mode: modeOf(stats),
    mtime: Math.floor(stats.mtimeMs / 1000),
    nlink: stats.nlink,
    path,
    size: stats.size,
    uid: nameOf('/etc/passwd', stats.uid),
  };
}

/** As `ls -l` shows it. */
function modeOf(stats: Stats): string {
  const kind = [
    ['d', stats.isDirectory()],
    ['c', stats.isCharacterDevice()],
    ['b', stats.isBlockDevice()],
    ['p', stats.isFIFO()],
    ['s', stats.isSocket()],
  ].find(([, isOne]) => isOne)?.[0];
  const bits = [...'rwxrwxrwx'].map((letter, i) => (stats.mode & (0o400 >> i) ? letter : '-'));
  return `${kind ?? '-'}${bits.join('')}`;
}

const names = new Map<string, Bytes>();

/** The name of a user or a group; the number if there is none. */
function nameOf(database: string, id: number): Bytes {
  const key = `${database}:${id}`;
  const known = names.get(key);
  if (known !== undefined) return known;
  const rows = readFileSync(database, 'latin1').split('\n');
  const name = rows.map((line) => line.split(':')).find(([, , number]) => number === String(id))?.[0];
  names.set(key, name ?? String(id));
  return name ?? String(id);
}
