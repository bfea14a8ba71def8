import type { Stream } from '../layout/log-paths.js';
import { jsonText } from '../text/json.js';

const NEWLINE = 10;
/** A longer line is printed in pieces, each with a newline, to limit the memory used. */
const LONGEST_HELD = 8 * 1024 * 1024;

/** Which log a line comes from. */
export interface LineSource {
  task_id: string;
  /** Given only where the same id is in several roots. */
  root?: string;
  process: string;
  run: number;
  stream: Stream;
}

/** `raw`: the bytes unchanged. `lines`: whole lines unchanged. `prefix`, `json`: each line in that form. */
export type LineMode = 'raw' | 'lines' | 'prefix' | 'json';

/** Takes the bytes of one log, in any pieces. The bytes may be reused after `push` has returned. */
export interface Channel {
  push(bytes: Buffer): void;
  /** No more bytes will come: prints what is held back. */
  end(): void;
}

/**
 * Merges the bytes of several logs without mixing lines: a partial line is held back until its newline comes or
 * its log ends. In `raw` mode, for a single log, everything passes at once.
 */
export class LineOutput {
  readonly #write: (bytes: Buffer | string) => void;
  #newlineDue = false;
  #endsInNewline = true;

  constructor(write: (bytes: Buffer | string) => void) {
    this.#write = write;
  }

  channel(source: LineSource, mode: LineMode, prefix = ''): Channel {
    if (mode === 'raw') return { push: (bytes) => this.#raw(bytes), end: () => this.#endRaw() };
    const rendered = render(mode, source, prefix);
    return new HeldLines((lines) => this.#write(rendered(lines)));
  }

  #raw(bytes: Buffer): void {
    if (bytes.length === 0) return;
    if (this.#newlineDue) this.#write('\n');
    this.#newlineDue = false;
    this.#endsInNewline = bytes[bytes.length - 1] === NEWLINE;
    this.#write(bytes);
  }

  /** The next log begins on a new line; the last log gets no newline if it doesn't end in one. */
  #endRaw(): void {
    this.#newlineDue = !this.#endsInNewline;
  }
}

class HeldLines implements Channel {
  readonly #emit: (lines: Buffer) => void;
  #held: Buffer[] = [];
  #heldBytes = 0;

  constructor(emit: (lines: Buffer) => void) {
    this.#emit = emit;
  }

  push(bytes: Buffer): void {
    const end = bytes.lastIndexOf(NEWLINE) + 1;
    if (end > 0) {
      const whole = bytes.subarray(0, end);
      this.#emit(this.#held.length === 0 ? whole : Buffer.concat([...this.#held, whole]));
      this.#held = [];
      this.#heldBytes = 0;
    }
    if (end < bytes.length) {
      this.#held.push(Buffer.from(bytes.subarray(end)));
      this.#heldBytes += bytes.length - end;
      if (this.#heldBytes > LONGEST_HELD) this.end();
    }
  }

  end(): void {
    if (this.#held.length === 0) return;
    this.#emit(Buffer.concat([...this.#held, Buffer.of(NEWLINE)]));
    this.#held = [];
    this.#heldBytes = 0;
  }
}

/** Returns a function that renders whole lines, including the last newline. */
function render(mode: LineMode, source: LineSource, prefix: string): (lines: Buffer) => Buffer | string {
  if (mode === 'prefix') {
    // One character per byte: bytes in any encoding pass unchanged.
    const before = Buffer.from(prefix, 'utf8').toString('latin1');
    const between = `\n${before}`.replaceAll('$', '$$$$');
    return (lines) => {
      const text = lines.toString('latin1', 0, lines.length - 1);
      return Buffer.from(`${before}${text.replaceAll('\n', between)}\n`, 'latin1');
    };
  }
  if (mode === 'json') {
    const { task_id, root, process, run, stream } = source;
    const head = jsonText({ task_id, root, process, run, stream }).slice(0, -1);
    return (lines) => {
      let text = '';
      for (const line of lines.toString('utf8', 0, lines.length - 1).split('\n')) {
        text += `${head},"line":${jsonText(line)}}\n`;
      }
      return text;
    };
  }
  return (lines) => lines;
}
