import { isUtf8 } from 'node:buffer';
import type { Stream } from '../layout/log-paths.js';
import { jsonText } from '../text/json.js';
import type { LineFilter } from './line-filter.js';

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

/** How the lines of one log are printed. */
export interface LineForm {
  mode: LineMode;
  /** What is before each line in `prefix` mode; asked again for lines that come later. */
  prefix?: () => string;
  /** Which lines are printed; undefined: all. Not in `raw` mode. */
  filter?: LineFilter;
  /** How a line is drawn on a terminal, in `lines` and `prefix` mode; undefined: its bytes are unchanged. */
  draw?: (line: Buffer) => string | Buffer;
  /** When the lines came, in milliseconds since the epoch, for `json`; undefined if it is not known. */
  arrival?: () => number | undefined;
}

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

  channel(source: LineSource, form: LineForm): Channel {
    if (form.mode === 'raw') return { push: (bytes) => this.#raw(bytes), end: () => this.#endRaw() };
    const rendered = render(form, source);
    const { filter } = form;
    return new HeldLines((lines) => {
      const chosen = filter === undefined ? lines : chosenOf(lines, filter);
      if (chosen.length > 0) this.#write(rendered(chosen));
    });
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

function chosenOf(lines: Buffer, filter: LineFilter): Buffer {
  const parts: Buffer[] = [];
  filter.each(lines, (from, to) => void parts.push(lines.subarray(from, to)));
  return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
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
    let from = 0;
    if (end > 0 && this.#held.length > 0) {
      // Only the line that was held back is copied.
      from = bytes.indexOf(NEWLINE) + 1;
      this.#emit(Buffer.concat([...this.#held, bytes.subarray(0, from)]));
      this.#held = [];
      this.#heldBytes = 0;
    }
    if (from < end) this.#emit(bytes.subarray(from, end));
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
function render(form: LineForm, source: LineSource): (lines: Buffer) => Buffer | string {
  const { mode, prefix = () => '', draw } = form;
  if (mode === 'json') return jsonOf(source, form.arrival ?? (() => undefined));
  const beforeEach = mode === 'prefix' ? prefix : () => '';
  if (draw !== undefined) {
    return (lines) => {
      const before = Buffer.from(beforeEach());
      const parts: Buffer[] = [];
      eachLine(lines, (line) => {
        const drawn = draw(line);
        parts.push(before, typeof drawn === 'string' ? Buffer.from(drawn) : drawn, Buffer.of(NEWLINE));
      });
      return Buffer.concat(parts);
    };
  }
  if (mode === 'lines') return (lines) => lines;
  return (lines) => {
    // One character per byte: bytes in any encoding pass unchanged.
    const before = Buffer.from(beforeEach(), 'utf8').toString('latin1');
    const between = `\n${before}`.replaceAll('$', '$$$$');
    const text = lines.toString('latin1', 0, lines.length - 1);
    return Buffer.from(`${before}${text.replaceAll('\n', between)}\n`, 'latin1');
  };
}

/** Lines as JSON. A line with bytes that are not UTF-8 has them a second time, in base64. */
function jsonOf(source: LineSource, arrival: () => number | undefined): (lines: Buffer) => string {
  const { task_id, root, process, run, stream } = source;
  const head = jsonText({ task_id, root, process, run, stream }).slice(0, -1);
  return (lines) => {
    const at = arrival();
    const before = at === undefined ? head : `${head},"arrival_ms":${at}`;
    let text = '';
    if (isUtf8(lines)) {
      for (const line of lines.toString('utf8', 0, lines.length - 1).split('\n')) {
        text += `${before},"line":${jsonText(line)}}\n`;
      }
      return text;
    }
    eachLine(lines, (line) => {
      const bytes = isUtf8(line) ? '' : `,"encoding":"base64","bytes":"${line.toString('base64')}"`;
      text += `${before},"line":${jsonText(line.toString('utf8'))}${bytes}}\n`;
    });
    return text;
  };
}

function eachLine(lines: Buffer, take: (line: Buffer) => void): void {
  for (let from = 0; from < lines.length; ) {
    const end = lines.indexOf(NEWLINE, from);
    take(lines.subarray(from, end));
    from = end + 1;
  }
}
