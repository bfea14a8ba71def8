import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  type Stats,
} from 'node:fs';
import { join } from 'node:path';
import { LIMITS } from '../limits.js';

/** The parts of Emscripten's file system that are used here; its own types leave most of them out. */
export interface EmscriptenFs {
  root: FsNode;
  createNode(parent: FsNode | null, name: string, mode: number, device?: number): FsNode;
  lookupPath(path: string): { node: FsNode };
  hashRemoveNode(node: FsNode): void;
  ErrnoError: new (errno: number) => Error;
  makedev(major: number, minor: number): number;
  registerDevice(device: number, operations: object): void;
  mkdev(path: string, mode: number, device: number): void;
  mkdirTree(path: string): void;
  open(path: string, flags: number): void;
  closeStream(descriptor: number): void;
  isFile(mode: number): boolean;
  isDir(mode: number): boolean;
  chdir(path: string): void;
  unlink(path: string): void;
  filesystems: { MEMFS: { ops_table: MemoryOperations } };
}

/** What all files in Emscripten's memory do. */
interface MemoryOperations {
  dir: { node: Record<string, unknown> };
  file: { node: Record<string, unknown>; stream: Record<string, unknown> };
  link: { node: Record<string, unknown> };
}

interface FsNode {
  name: string;
  parent: FsNode;
  mode: number;
  node_ops: Record<string, unknown>;
  stream_ops: Record<string, unknown>;
  contents: Record<string, FsNode>;
  hostPath?: string;
}

interface FsStream {
  node: FsNode;
  flags: number;
  position: number;
  /** Shared by all descriptors that `dup` made from one. */
  shared: { host?: HostFile };
}

/** An open file of this machine. It is closed when the last descriptor for it is. */
interface HostFile {
  readonly fd: number;
  users: number;
}

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;
/** The name that Python looks for in `/lib`. */
const LIBRARY = 'python314.zip';

/** Flags as Emscripten numbers them. */
const WRITING = 0o3;
const TRUNCATE = 0o1000;

/**
 * Shows the files of this machine to Python, at their own paths, read-only. What Emscripten keeps in memory (`/dev`)
 * hides them, and so does the standard library in `/lib`, which is the file `library`.
 */
export function showHostFiles(
  fs: EmscriptenFs,
  errnoCodes: Readonly<Record<string, number>>,
  library: string,
): void {
  const fail = (code: string): never => {
    throw new fs.ErrnoError(errnoCodes[code] ?? errnoCodes.EIO ?? 29);
  };
  const attempt = <T>(action: () => T): T => {
    try {
      return action();
    } catch (error) {
      return fail((error as NodeJS.ErrnoException).code ?? 'EIO');
    }
  };
  const readOnly = () => fail('EROFS');
  let open = 0;

  const nodeAt = (parent: FsNode, name: string, hostPath: string): FsNode => {
    const node = fs.createNode(parent, name, attempt(() => lstatSync(hostPath)).mode, 0);
    node.hostPath = hostPath;
    node.node_ops = nodeOperations;
    node.stream_ops = streamOperations;
    return node;
  };

  const nodeOperations = {
    getattr: (node: FsNode) => attributes(attempt(() => lstatSync(node.hostPath ?? ''))),
    setattr: readOnly,
    lookup: (parent: FsNode, name: string) => nodeAt(parent, name, join(parent.hostPath ?? '', name)),
    readdir: (node: FsNode) => ['.', '..', ...attempt(() => readdirSync(node.hostPath ?? ''))],
    readlink: (node: FsNode) => attempt(() => readlinkSync(node.hostPath ?? '')),
    mknod: readOnly,
    rename: readOnly,
    unlink: readOnly,
    rmdir: readOnly,
    symlink: readOnly,
  };

  const streamOperations = {
    open: (stream: FsStream) => {
      if ((stream.flags & (WRITING | TRUNCATE)) !== 0) readOnly();
      if (fs.isDir(stream.node.mode)) return;
      if (!fs.isFile(stream.node.mode)) fail('EACCES');
      if (open >= LIMITS.open_files.most) fail('EMFILE');
      const fd = attempt(() => openFile(stream.node.hostPath ?? ''));
      if (fd === undefined) return fail('EACCES');
      stream.shared.host = { fd, users: 1 };
      open++;
    },
    dup: ({ shared: { host } }: FsStream) => {
      if (host !== undefined) host.users++;
    },
    close: ({ shared: { host } }: FsStream) => {
      if (host === undefined || --host.users > 0) return;
      open--;
      attempt(() => closeSync(host.fd));
    },
    read: (stream: FsStream, buffer: Uint8Array, offset: number, length: number, position: number) => {
      const { host } = stream.shared;
      if (host === undefined) return fail('EISDIR');
      // Emscripten has an Int8Array; Node takes bytes.
      const bytes = new Uint8Array(buffer.buffer, buffer.byteOffset + offset, length);
      return attempt(() => readSync(host.fd, bytes, 0, length, position));
    },
    write: readOnly,
    llseek: (stream: FsStream, offset: number, whence: number) => {
      let position = offset;
      if (whence === 1) position += stream.position;
      else if (whence === 2) position += attempt(() => fstatSync(stream.shared.host?.fd ?? -1)).size;
      return position < 0 ? fail('EINVAL') : position;
    },
  };

  const overlay = (node: FsNode, hostPath: string, hidden: Record<string, string> = {}) => {
    const memory = node.node_ops as { readdir(node: FsNode): string[] };
    node.node_ops = {
      ...nodeOperations,
      getattr: node.node_ops.getattr,
      lookup: (parent: FsNode, name: string) =>
        nodeAt(parent, name, Object.hasOwn(hidden, name) ? (hidden[name] as string) : join(hostPath, name)),
      readdir: (of: FsNode) => [...new Set([...memory.readdir(of), ...attempt(() => readdirSync(hostPath))])],
    };
  };

  for (const name of ['home', 'tmp', 'proc']) hide(fs, `/${name}`);
  const lib = fs.lookupPath('/lib').node;
  overlay(fs.root, '/');
  overlay(lib, '/lib', { [LIBRARY]: library });
  // What they print would not be counted.
  for (const terminal of ['/dev/tty', '/dev/tty1']) fs.unlink(terminal);
  keepMemory(fs, readOnly);
}

/** Emscripten's own files are in this thread's memory, where nothing limits them: they cannot be changed. */
function keepMemory(fs: EmscriptenFs, readOnly: () => never): void {
  const { dir, file, link } = fs.filesystems.MEMFS.ops_table;
  for (const name of ['mknod', 'rename', 'unlink', 'rmdir', 'symlink']) dir.node[name] = readOnly;
  for (const { node } of [dir, file, link]) node.setattr = readOnly;
  file.stream.write = readOnly;
}

/**
 * Opens regular files only, nothing that could block: this thread cannot be ended while the kernel blocks it. Of the
 * kernel's files, only those that everybody may read; others (`kmsg`, `mem`, `trace_pipe`) change when they are read
 * or have no end. Undefined if the file must not be read.
 */
function openFile(path: string): number | undefined {
  const fd = openSync(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW);
  const stats = fstatSync(fd);
  if (stats.isFile() && (!KERNEL_FILE.test(path) || (stats.mode & 0o004) !== 0)) return fd;
  closeSync(fd);
  return undefined;
}

const KERNEL_FILE = /^\/(proc|sys)\//;

/** Removes a directory that Emscripten made, so that the host's is visible there. */
function hide(fs: EmscriptenFs, path: string): void {
  const { node } = fs.lookupPath(path);
  fs.hashRemoveNode(node);
  delete node.parent.contents[node.name];
}

function attributes(stats: Stats): object {
  const { dev, ino, mode, nlink, uid, gid, rdev, size, atime, mtime, ctime, blksize, blocks } = stats;
  return { dev, ino, mode, nlink, uid, gid, rdev, size, atime, mtime, ctime, blksize, blocks };
}
