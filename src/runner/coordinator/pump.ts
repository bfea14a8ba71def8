import { spawnSync } from 'node:child_process';
import { constants, openSync, readSync, unlinkSync } from 'node:fs';
import { Socket } from 'node:net';

const CHUNK = 64 * 1024;

/**
 * Creates a pipe for each name: [read end, write end]. Node would create sockets, and a command cannot open
 * `/dev/stderr` if that is a socket; so these are named pipes in `directory`, which are unlinked at once. Throws if they
 * cannot be created.
 */
export function makePipes(directory: string, names: readonly string[]): [number, number][] {
  const paths = names.map((name) => `${directory}/.${name}.${process.pid}`);
  const { status, error, stderr } = spawnSync('mkfifo', ['-m', '600', ...paths], {
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
  });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(stderr.trim());
  return paths.map((path) => {
    const reading = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const writing = openSync(path, constants.O_WRONLY);
    unlinkSync(path);
    return [reading, writing];
  });
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
