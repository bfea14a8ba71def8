import { closeSync, constants, openSync, readSync, rmSync, unlinkSync } from 'node:fs';
import { Socket } from 'node:net';
import { runTool } from '../../host/run-tool.js';

const CHUNK = 64 * 1024;

/**
 * Creates a pipe for each name: [read end, write end]. Node would create sockets, and a command cannot open
 * `/dev/stderr` if that is a socket; so these are named pipes in `directory`, which are unlinked at once. Throws if they
 * cannot be created.
 */
export function makePipes(directory: string, names: readonly string[]): [number, number][] {
  const paths = names.map((name) => `${directory}/.${name}.${process.pid}`);
  const { status, error, stderr } = runTool('env', ['LC_ALL=C', 'mkfifo', '-m', '600', ...paths]);
  if (error !== undefined) throw error;
  const opened: number[] = [];
  try {
    if (status !== 0) throw failureOf(stderr.trim());
    return paths.map((path) => {
      const reading = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
      opened.push(reading);
      const writing = openSync(path, constants.O_WRONLY);
      opened.push(writing);
      unlinkSync(path);
      return [reading, writing];
    });
  } catch (error) {
    for (const fd of opened) closeSync(fd);
    for (const path of paths) rmSync(path, { force: true });
    throw error;
  }
}

/** By the words of strerror(3), as system errors. */
const ERRORS: readonly (readonly [words: string, code: string])[] = [
  ['No space left on device', 'ENOSPC'],
  ['Disk quota exceeded', 'EDQUOT'],
  ['Input/output error', 'EIO'],
  ['Cannot allocate memory', 'ENOMEM'],
];

function failureOf(text: string): Error {
  const [, code] = ERRORS.find(([words]) => text.endsWith(words)) ?? [];
  return Object.assign(new Error(text), { code });
}

/** Passes on the bytes from a pipe. */
export class Pump {
  readonly #fd: number;
  readonly #sink: (bytes: Uint8Array) => void;
  readonly #buffer = Buffer.allocUnsafeSlow(CHUNK);
  readonly #socket: Socket;

  constructor(fd: number, sink: (bytes: Uint8Array) => void) {
    this.#fd = fd;
    this.#sink = sink;
    const onread = {
      buffer: this.#buffer,
      callback: (count: number, buffer: Uint8Array) => {
        sink(buffer.subarray(0, count));
        return true;
      },
    };
    // The constructor accepts `onread`, too, though it is documented only for `connect`.
    const options = { fd, readable: true, writable: false, onread };
    this.#socket = new Socket(options as object);
    this.#socket.on('error', () => this.#socket.destroy());
    this.#socket.resume();
  }

  /** Reads what is in the pipe now and closes it: later output of other holders of the write end is lost. */
  drain(): void {
    if (this.#socket.destroyed || this.#socket.readableEnded) return;
    this.#socket.pause();
    try {
      for (;;) {
        const count = readSync(this.#fd, this.#buffer, 0, CHUNK, null);
        if (count === 0) break;
        this.#sink(this.#buffer.subarray(0, count));
      }
    } catch {
      // EAGAIN: empty.
    }
    this.#socket.destroy();
  }
}
