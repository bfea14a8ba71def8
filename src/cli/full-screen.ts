import type { ChildProcess } from 'node:child_process';
import { setImmediate } from 'node:timers/promises';
import { EXIT } from '../errors/exit-codes.js';
import { onSignal } from '../host/ignored-signals.js';
import { visible } from '../text/escape.js';
import { wrap } from '../text/width.js';
import { type Key, KeyDecoder } from './keys.js';
import type { ScreenSize } from './list-screen.js';
import type { Terminal } from './terminal.js';

/**
 * What happens on a screen: a key, with the number of the frame that was shown when it came; another size, or that all
 * must be drawn again; a signal that ends the program, or that the terminal is no more; or what the owner said with `wake`.
 */
export type ScreenEvent = { key: Key; frame: number } | 'resize' | 'woken' | { ends: EndingSignal };

export type EndingSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'SIGQUIT';

const ENDING: readonly EndingSignal[] = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'];

/**
 * The alternate screen, without a cursor. Rows that are full do not go on in the next one: what is wider here than it
 * was measured would destroy the rows below. A paste comes marked as one.
 */
const MODES = '\u001b[?25l\u001b[?7l\u001b[?2004h';
/** The wheel, as numbers. Not if nobody reads what it sends: the shell would. */
const MOUSE_ON = '\u001b[?1000h\u001b[?1006h';
const MOUSE_OFF = '\u001b[?1006l\u001b[?1000l';
const ENTER = '\u001b[?1049h';
const LEAVE = '\u001b[?2004l\u001b[?7h\u001b[?25h\u001b[0m\u001b[?1049l';
/** A shell that had to end leaves it on. */
const PASTE_OFF = '\u001b[?2004l';
/** So long a guest that must end has, to leave the terminal as it was. */
const GUEST_MS = 2000;
const SHOW_CURSOR = '\u001b[?25h';
const HIDE_CURSOR = '\u001b[?25l';
/** The row is cleared before it is written: afterwards, a full row would lose its last character. */
const atRow = (row: number) => `\u001b[${row + 1};1H\u001b[2K`;
const at = (row: number, column: number) => `\u001b[${row + 1};${column + 1}H`;

/**
 * A screen of its own on the terminal, and the keys, if stdin is a terminal. However the program ends, the terminal is
 * then as it was before; also while the program is stopped, by Ctrl-Z or SIGTSTP.
 */
export class FullScreen {
  readonly #terminal: Terminal;
  /** Somebody can press keys. */
  readonly hasKeys: boolean;
  readonly #decoder = new KeyDecoder();
  readonly #events: ScreenEvent[] = [];
  #wakeUp = () => {};
  #rest: NodeJS.Timeout | undefined;
  #isOpen = false;
  /** Another program has the terminal; `release` ends the wait for it. */
  #guest: { child: ChildProcess; release: (signal: NodeJS.Signals) => void } | undefined;
  #shown: readonly string[] = [];
  #cursor = '';
  #frame = 0;

  readonly #onEnd = (signal: NodeJS.Signals) => this.#end(signal as EndingSignal);
  readonly #onResize = () => this.redraw();
  readonly #onStop = () => this.#stop();
  readonly #onContinue = () => this.#continued();
  readonly #onExit = () => this.close();
  readonly #onData = (bytes: Buffer) => this.#heard(bytes);
  readonly #onGone = () => this.#push({ ends: 'SIGHUP' });

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
    this.hasKeys = terminal.stdinIsTerminal;
  }

  /** The number of the frame that is shown: each one has a higher one. */
  get frame(): number {
    return this.#frame;
  }

  get size(): ScreenSize {
    return this.#terminal.size;
  }

  open(): void {
    // Asked for the first time, stdout begins to follow the size: it must hear of a new one before we do.
    void this.#terminal.size;
    for (const signal of ENDING) onSignal(signal, this.#onEnd);
    process.on('SIGWINCH', this.#onResize);
    process.on('SIGTSTP', this.#onStop);
    process.on('SIGCONT', this.#onContinue);
    process.on('exit', this.#onExit);
    if (this.hasKeys)
      process.stdin.on('data', this.#onData).on('end', this.#onGone).on('error', this.#onGone);
    this.#enter();
  }

  /** The terminal is as it was before, and signals have their effects again. Does nothing if it is closed. */
  close(): void {
    this.#leave();
    clearTimeout(this.#rest);
    for (const signal of ENDING) process.off(signal, this.#onEnd);
    process.off('SIGWINCH', this.#onResize);
    process.off('SIGTSTP', this.#onStop);
    process.off('SIGCONT', this.#onContinue);
    process.off('exit', this.#onExit);
    if (!this.hasKeys) return;
    process.stdin.off('data', this.#onData).off('end', this.#onGone).off('error', this.#onGone).pause();
  }

  /** Resolves to what happens next; to undefined after so many milliseconds in which nothing does. */
  async next(milliseconds: number): Promise<ScreenEvent | undefined> {
    if (this.#events.length === 0) {
      await new Promise<void>((resolve) => {
        const timer = Number.isFinite(milliseconds)
          ? setTimeout(resolve, Math.max(0, milliseconds))
          : undefined;
        this.#wakeUp = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    return this.#events.shift();
  }

  /** Resolves when everything that was typed so far has come: while the program was busy, nothing could. */
  async heardAll(): Promise<void> {
    // The first one may come before the next look at what can be read.
    await setImmediate();
    await setImmediate();
  }

  wake(): void {
    this.#push('woken');
  }

  /** All rows are written again. */
  redraw(): void {
    this.#shown = [];
    this.#push('resize');
  }

  /** Writes the rows that differ from those that are shown. Without a `cursor`, none is seen. */
  show(lines: readonly string[], cursor: { row: number; column: number } | undefined): void {
    if (!this.#isOpen) return;
    this.#frame += 1;
    let text = '';
    for (const [row, line] of lines.entries()) if (line !== this.#shown[row]) text += atRow(row) + line;
    const place = cursor === undefined ? HIDE_CURSOR : at(cursor.row, cursor.column) + SHOW_CURSOR;
    // Rows are written without a cursor that jumps.
    if (text !== '' || place !== this.#cursor) this.#write(HIDE_CURSOR + text + place);
    this.#shown = [...lines];
    this.#cursor = place;
  }

  /** Sends the signal of a key, which the terminal sends while it is not raw, to the same processes. */
  raise(signal: 'SIGINT' | 'SIGTSTP' | 'SIGQUIT'): void {
    process.kill(0, signal);
  }

  /**
   * Gives the terminal, as it was before, to another program, and takes it back when that has ended. `intro`: lines above what
   * it writes. Resolves to its exit code or signal; rejects with the system error if it cannot be started.
   */
  async lend(start: () => ChildProcess, intro: readonly string[]): Promise<number | NodeJS.Signals> {
    if (this.hasKeys) process.stdin.off('data', this.#onData).pause();
    this.#leave();
    let isOver = false;
    const { columns } = this.size;
    this.#write(intro.flatMap((line) => wrap(visible(line), columns).map((row) => `${row}\r\n`)).join(''));
    try {
      const child = start();
      return await new Promise((resolve, reject) => {
        child.once('error', reject);
        child.once('exit', (code, signal) => resolve(code ?? (signal as NodeJS.Signals)));
        const release = (signal: NodeJS.Signals) => {
          isOver = true;
          setTimeout(() => resolve(signal), GUEST_MS);
        };
        this.#guest = { child, release };
      });
    } finally {
      this.#guest = undefined;
      if (isOver) this.#write(PASTE_OFF);
      else {
        if (this.hasKeys) process.stdin.on('data', this.#onData).resume();
        this.#enter();
        this.redraw();
      }
    }
  }

  /** What keys send reaches a guest by itself, and only the guest decides what it does. A shell ends by SIGHUP alone. */
  #end(signal: EndingSignal): void {
    if (this.#guest !== undefined) {
      if (signal === 'SIGINT' || signal === 'SIGQUIT') return;
      this.#guest.child.kill('SIGHUP');
      this.#guest.release(signal);
    }
    this.#push({ ends: signal });
  }

  #push(event: ScreenEvent): void {
    this.#events.push(event);
    this.#wakeUp();
  }

  #heard(bytes: Buffer): void {
    clearTimeout(this.#rest);
    this.#press(this.#decoder.push(bytes));
    const { waitMs } = this.#decoder;
    if (waitMs !== undefined) this.#rest = setTimeout(() => this.#press(this.#decoder.flush()), waitMs);
  }

  #press(keys: readonly Key[]): void {
    for (const key of keys) this.#push({ key, frame: this.#frame });
  }

  /** First raw, then the screen: a program in the background is stopped before it has drawn anything. */
  #enter(): void {
    if (this.#raw(true)) {
      this.#isOpen = true;
      this.#shown = [];
      this.#write(ENTER + this.#modes);
    }
  }

  get #modes(): string {
    return this.hasKeys ? MODES + MOUSE_ON : MODES;
  }

  #leave(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#write((this.hasKeys ? MOUSE_OFF : '') + LEAVE);
    this.#raw(false);
  }

  #stop(): void {
    this.#leave();
    process.off('SIGTSTP', this.#onStop);
    // Goes on after SIGCONT, or at once if nobody could continue it.
    process.kill(process.pid, 'SIGTSTP');
    process.on('SIGTSTP', this.#onStop);
    if (this.#guest !== undefined) return;
    this.#enter();
    this.redraw();
  }

  /** After SIGSTOP, which nobody can hear: the shell may have changed the terminal, and has written to it. */
  #continued(): void {
    if (!this.#isOpen || !this.#raw(false) || !this.#raw(true)) return;
    this.#write(this.#modes);
    this.redraw();
  }

  #raw(on: boolean): boolean {
    if (!this.hasKeys) return true;
    try {
      process.stdin.setRawMode(on);
      return true;
    } catch {
      this.#onGone();
      return false;
    }
  }

  #write(text: string): void {
    if (!this.#terminal.draw(text)) this.#onGone();
  }
}

/** The exit code after a signal, for those that have one; the others end the program as if they had not been heard. */
export function endBy(signal: EndingSignal): number {
  if (signal === 'SIGINT') return EXIT.interrupted;
  if (signal === 'SIGTERM') return EXIT.terminated;
  process.kill(process.pid, signal);
  return EXIT.terminated;
}
