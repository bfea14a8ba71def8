import { performance } from 'node:perf_hooks';
import { EXIT } from '../errors/exit-codes.js';
import { collectOnceWhenIdle } from '../host/idle-collection.js';
import type { Awaitable } from '../task/gatherer.js';
import { paintedWidth } from '../text/width.js';
import { type EndingSignal, endBy, FullScreen } from './full-screen.js';
import type { Key } from './keys.js';
import {
  drawnList,
  FIRST_STATE,
  type ListContent,
  type ListExtent,
  type ListState,
  pressed,
  within,
} from './list-screen.js';
import type { Style, Terminal } from './terminal.js';

/** What of a list is asked for. */
export interface ListRequest {
  filter: string;
  /** The number of an order. */
  order: number;
  reverse: boolean;
  /** Its width is that of the screen. */
  style: Style;
}

/** A letter that only one list knows. */
export interface ListKey {
  readonly letter: string;
  /** What it does, in a word or two; absent if the bottom of the screen does not tell it. */
  readonly hint?: string;
  /** `selected`: the id of the selected line. */
  press(selected: string | undefined): ListEffect;
}

/**
 * What a letter leads to: the list is drawn again; or first a question, which `y` answers with yes; or another list,
 * which Escape or `q` leaves.
 */
export type ListEffect = 'redraw' | { question: string; yes: () => void } | { open: ListSource };

/** What is listed on a screen, and changes. */
export interface ListSource {
  /** The names of the orders; the first one is used first. */
  readonly orders: readonly string[];
  /** Letters that choose an order, by its name. */
  readonly orderLetters?: Readonly<Record<string, string>>;
  readonly keys?: readonly ListKey[];
  /** How long after the last look to look again, if not after the interval. */
  readonly pauseMs?: number;
  /** It begins, and goes on, at its end; only if no line can be selected. */
  readonly followsEnd?: boolean;
  /** Gives what to call when it has changed without a look. */
  listen?(changed: () => void): void;
  /** The list is not shown any more. */
  close?(): void;
  /** Looks again. Resolves to false if what it lists is as before, but for ages. */
  look(): Awaitable<boolean>;
  /** Draws what the last look has seen. */
  content(request: ListRequest): ListContent;
}

/** Drawing only the ages of a very long list again takes at most one part in so many of the time. */
const SHARE = 500;

/**
 * Shows a list on a screen of its own, looks again after each interval, and obeys the keys, until `q` or a signal. The
 * last frame stays on the ordinary screen. Resolves to the exit code, and to the notes of the last frame; rejects with
 * what a look throws, after the terminal is as it was.
 */
export async function watchList(
  terminal: Terminal,
  intervalMs: number,
  source: ListSource,
): Promise<{ exitCode: number; notes: readonly string[] }> {
  // What goes wrong at first is told on the ordinary screen.
  await source.look();
  const screen = new FullScreen(terminal);
  const session = new Session(terminal, screen, source, false);
  screen.open();
  // Of 10,000 tasks, each collection takes 0.2 s.
  collectOnceWhenIdle();
  let signal: EndingSignal | undefined;
  try {
    signal = await session.run(intervalMs);
  } finally {
    screen.close();
  }
  if (signal === 'SIGHUP' || signal === 'SIGQUIT') return { exitCode: endBy(signal), notes: [] };
  const { frame, notes } = session.last;
  terminal.draw(frame.map((line) => `${line}\n`).join(''));
  return { exitCode: signal === undefined ? EXIT.ok : endBy(signal), notes };
}

class Session {
  readonly #terminal: Terminal;
  readonly #screen: FullScreen;
  readonly #source: ListSource;
  /** It was opened from another list. */
  readonly #isInner: boolean;
  readonly #letters: ReadonlySet<string>;
  readonly #orderLetters: ReadonlyMap<string, number>;
  #state: ListState = FIRST_STATE;
  #content: ListContent | undefined;
  /** What the content was drawn for, when, and how long that took, milliseconds. */
  #drawn = { request: '', at: 0, took: 0 };
  #lookedAt: number;
  #room = 0;
  #frame: readonly string[] = [];
  #question: Extract<ListEffect, { question: string }> | undefined;

  constructor(terminal: Terminal, screen: FullScreen, source: ListSource, isInner: boolean) {
    this.#terminal = terminal;
    this.#screen = screen;
    this.#source = source;
    this.#isInner = isInner;
    this.#lookedAt = terminal.now();
    this.#letters = new Set(source.keys?.map(({ letter }) => letter));
    const letters = Object.entries(source.orderLetters ?? {});
    this.#orderLetters = new Map(letters.map(([letter, order]) => [letter, source.orders.indexOf(order)]));
  }

  get last(): { frame: readonly string[]; notes: readonly string[] } {
    return { frame: this.#frame, notes: this.#content?.notes ?? [] };
  }

  /** Resolves to the signal that ends it, or to undefined if the user does. */
  async run(intervalMs: number): Promise<EndingSignal | undefined> {
    const source = this.#source;
    let failure: { error: unknown } | undefined;
    let isLooking = false;
    const dueAt = () => performance.now() + (source.pauseMs ?? intervalMs);
    let next = dueAt();
    const look = async () => {
      try {
        if (await source.look()) this.#content = undefined;
        this.#lookedAt = this.#terminal.now();
      } catch (error) {
        failure = { error };
      }
      isLooking = false;
      next = dueAt();
      this.#screen.wake();
    };
    source.listen?.(() => {
      this.#content = undefined;
      this.#screen.wake();
    });
    this.#draw();
    for (;;) {
      const event = await this.#screen.next(isLooking ? Number.POSITIVE_INFINITY : next - performance.now());
      if (failure !== undefined) throw failure.error;
      if (event === undefined) {
        isLooking = true;
        void look();
        continue;
      }
      if (event === 'woken' || event === 'resize') this.#draw();
      else if ('ends' in event) return event.ends;
      else {
        const ended = await this.#press(event.key, intervalMs);
        if (ended !== undefined) return ended === 'left' ? undefined : ended;
      }
    }
  }

  /** Resolves to how it ended, if the key has ended it. */
  async #press(key: Key, intervalMs: number): Promise<EndingSignal | 'left' | undefined> {
    if (this.#question !== undefined && this.#isAnswer(key)) {
      this.#draw();
      return undefined;
    }
    const { state, action } = pressed(this.#state, key, this.#extent());
    this.#state = state;
    if (action === 'quit' || (action === 'back' && this.#isInner)) return 'left';
    if (action === 'redraw') this.#screen.redraw();
    else if (action === 'interrupt') this.#screen.raise('SIGINT');
    else if (action === 'suspend') this.#screen.raise('SIGTSTP');
    else if (action === 'abort') this.#screen.raise('SIGQUIT');
    else {
      if (typeof action === 'object') {
        const signal = await this.#effect(action.letter, intervalMs);
        if (signal !== undefined) return signal;
        // What was typed before there was a question is no answer.
        if (action.rest !== '' && this.#question === undefined)
          return this.#press({ text: action.rest }, intervalMs);
      }
      this.#draw();
    }
    return undefined;
  }

  /** Only a `y` that was typed alone means yes; keys that end or stop the program do that still. */
  #isAnswer(key: Key): boolean {
    if ('name' in key && ['interrupt', 'suspend', 'abort', 'redraw'].includes(key.name)) return false;
    const isYes = 'text' in key && !key.pasted && /^y$/i.test(key.text);
    if (isYes) this.#question?.yes();
    this.#question = undefined;
    this.#content = undefined;
    return true;
  }

  /** Resolves to a signal that has come meanwhile. */
  async #effect(letter: string, intervalMs: number): Promise<EndingSignal | undefined> {
    const { ids, at } = { ids: this.#contentNow().ids, at: this.#state.at };
    const effect = this.#source.keys?.find((key) => key.letter === letter)?.press(ids?.[at]);
    this.#content = undefined;
    if (effect === undefined || effect === 'redraw') return undefined;
    if ('question' in effect) {
      this.#question = effect;
      return undefined;
    }
    try {
      await effect.open.look();
      return await new Session(this.#terminal, this.#screen, effect.open, true).run(intervalMs);
    } finally {
      effect.open.close?.();
    }
  }

  #draw(): void {
    const { columns, rows } = this.#screen.size;
    const wasAtEnd = this.#isAtEnd();
    const content = this.#contentNow();
    const style = this.#style();
    const question = this.#question?.question;
    const options = {
      paint: style.paint,
      unicode: style.unicode,
      keys: this.#screen.hasKeys,
      order: this.#source.orders[this.#state.order],
      hints: this.#source.keys?.flatMap(({ letter, hint }) =>
        hint === undefined ? [] : `${letter} ${hint}`,
      ),
      question: question === undefined ? undefined : `${question} [y/N] `,
      time: new Date(this.#lookedAt).toISOString().slice(11, 19),
    };
    // What is shown of the list depends on the room for it, and that on what is drawn around it.
    let screen = drawnList(content, this.#state, { columns, rows }, options);
    this.#room = screen.room;
    const top = this.#source.followsEnd && wasAtEnd ? content.lines.length : this.#state.top;
    const state = within({ ...this.#state, top }, this.#extent());
    if (state !== this.#state) screen = drawnList(content, state, { columns, rows }, options);
    this.#state = state;
    this.#frame = screen.frame;
    this.#screen.show(screen.lines, screen.cursor);
  }

  #style(): Style {
    return { ...this.#terminal.style(1), width: this.#screen.size.columns };
  }

  #isAtEnd(): boolean {
    const lines = this.#content?.lines.length ?? 0;
    return this.#room === 0 || this.#state.top >= lines - this.#room;
  }

  #contentNow(): ListContent {
    const { filter, order, reverse } = this.#state;
    const style = this.#style();
    const request = JSON.stringify([filter, order, reverse, style.width]);
    const start = performance.now();
    const { at, took } = this.#drawn;
    const isOld = start - at >= took * SHARE;
    if (this.#content === undefined || isOld || request !== this.#drawn.request) {
      this.#content = this.#source.content({ filter, order, reverse, style });
      this.#drawn = { request, at: start, took: performance.now() - start };
    }
    return this.#content;
  }

  #extent(): ListExtent {
    const { lines = [], ids } = this.#content ?? {};
    return {
      lines: lines.length,
      room: this.#room,
      get width() {
        return lines.reduce((widest, line) => Math.max(widest, paintedWidth(line)), 0);
      },
      columns: this.#screen.size.columns,
      orders: Math.max(1, this.#source.orders.length),
      ids,
      letters: this.#letters,
      orderLetters: this.#orderLetters,
    };
  }
}
