import { spawnSync } from 'node:child_process';
import { constants, openSync, readSync, unlinkSync } from 'node:fs';
import { Socket } from 'node:net';

const CHUNK = 64 * 1024;

/**
 * Pipes, one for each name: [to read from, to write to]. Node makes sockets where a pipe is asked for, and a
 * command can't open `/dev/stderr` if that is a socket; so these are named pipes in `directory`, that lose
 * their names at once. Throws if they can't be made.
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

/** Hands on what comes through a pipe. */
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
    // `onread` is a matter of the constructor, though only `connect` is documented to have it.
    const options = { fd, readable: true, writable: false, onread };
    this.#socket = new Socket(options as object);
    this.#socket.on('error', () => this.#socket.destroy());
    this.#socket.resume();
  }

  /** Takes what is in the pipe now: whoever else still holds its other end writes for nobody. */
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
