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
  isFile(mode: number): boolean;
  isDir(mode: number): boolean;
  chdir(path: string): void;
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
  hostFd?: number;
}

const { O_NONBLOCK, O_RDONLY } = constants;
/** Flags as Emscripten numbers them. */
const WRITING = 0o3;
const TRUNCATE = 0o1000;

/**
 * Shows the files of this machine to Python, at their own paths, for reading only. What Emscripten keeps in
 * memory (`/dev` and the standard library below `/lib`) lies over them.
 */
export function showHostFiles(fs: EmscriptenFs, errnoCodes: Readonly<Record<string, number>>): void {
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
      // Nothing that could wait: this thread can't be ended while the kernel holds it.
      stream.hostFd = attempt(() => openSync(stream.node.hostPath ?? '', O_RDONLY | O_NONBLOCK));
    },
    close: (stream: FsStream) => {
      if (stream.hostFd !== undefined) attempt(() => closeSync(stream.hostFd ?? -1));
    },
    read: (stream: FsStream, buffer: Uint8Array, offset: number, length: number, position: number) => {
      const { hostFd } = stream;
      if (hostFd === undefined) return fail('EISDIR');
      // An Int8Array is what Emscripten has; Node takes bytes.
      const bytes = new Uint8Array(buffer.buffer, buffer.byteOffset + offset, length);
      return attempt(() => readSync(hostFd, bytes, 0, length, position));
    },
    write: readOnly,
    llseek: (stream: FsStream, offset: number, whence: number) => {
      let position = offset;
      if (whence === 1) position += stream.position;
      else if (whence === 2) position += attempt(() => fstatSync(stream.hostFd ?? -1)).size;
      return position < 0 ? fail('EINVAL') : position;
    },
  };

  const overlay = (node: FsNode, hostPath: string) => {
    const memory = node.node_ops as { readdir(node: FsNode): string[] };
    node.node_ops = {
      ...nodeOperations,
      getattr: node.node_ops.getattr,
      lookup: (parent: FsNode, name: string) => nodeAt(parent, name, join(hostPath, name)),
      readdir: (of: FsNode) => [...new Set([...memory.readdir(of), ...attempt(() => readdirSync(hostPath))])],
    };
  };

  for (const name of ['home', 'tmp', 'proc']) hide(fs, `/${name}`);
  const lib = fs.lookupPath('/lib').node;
  overlay(fs.root, '/');
  overlay(lib, '/lib');
}

/** Takes a directory that Emscripten made out of its place, so that the host's is seen there. */
function hide(fs: EmscriptenFs, path: string): void {
  const { node } = fs.lookupPath(path);
  fs.hashRemoveNode(node);
  delete node.parent.contents[node.name];
}

function attributes(stats: Stats): object {
  const { dev, ino, mode, nlink, uid, gid, rdev, size, atime, mtime, ctime, blksize, blocks } = stats;
  return { dev, ino, mode, nlink, uid, gid, rdev, size, atime, mtime, ctime, blksize, blocks };
}
