import { performance } from 'node:perf_hooks';
import { EXIT } from '../errors/exit-codes.js';
import { collectOnceWhenIdle } from '../host/idle-collection.js';
import type { Awaitable } from '../task/gatherer.js';
import { paintedWidth } from '../text/width.js';
import { type EndingSignal, endBy, FullScreen } from './full-screen.js';
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

/** What is listed on a screen, and changes. */
export interface ListSource {
  /** The names of the orders; the first one is used first. */
  readonly orders: readonly string[];
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
  const session = new Session(terminal, screen, source);
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
  #state: ListState = FIRST_STATE;
  #content: ListContent | undefined;
  /** What the content was drawn for, when, and how long that took, milliseconds. */
  #drawn = { request: '', at: 0, took: 0 };
  #lookedAt: number;
  #room = 0;
  #frame: readonly string[] = [];

  constructor(terminal: Terminal, screen: FullScreen, source: ListSource) {
    this.#terminal = terminal;
    this.#screen = screen;
    this.#source = source;
    this.#lookedAt = terminal.now();
  }

  get last(): { frame: readonly string[]; notes: readonly string[] } {
    return { frame: this.#frame, notes: this.#content?.notes ?? [] };
  }

  /** Resolves to the signal that ends it, or to undefined if the user does. */
  async run(intervalMs: number): Promise<EndingSignal | undefined> {
    let failure: { error: unknown } | undefined;
    let isLooking = false;
    let next = performance.now() + intervalMs;
    const look = async () => {
      try {
        if (await this.#source.look()) this.#content = undefined;
        this.#lookedAt = this.#terminal.now();
      } catch (error) {
        failure = { error };
      }
      isLooking = false;
      next = performance.now() + intervalMs;
      this.#screen.wake();
    };
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
        const { state, action } = pressed(this.#state, event.key, this.#extent());
        this.#state = state;
        if (action === 'quit') return undefined;
        if (action === 'redraw') this.#screen.redraw();
        else if (action === 'interrupt') this.#screen.raise('SIGINT');
        else if (action === 'suspend') this.#screen.raise('SIGTSTP');
        else if (action === 'abort') this.#screen.raise('SIGQUIT');
        else this.#draw();
      }
    }
  }

  #draw(): void {
    const { columns, rows } = this.#screen.size;
    const style = { ...this.#terminal.style(1), width: columns };
    const content = this.#contentFor(style);
    this.#state = within(this.#state, this.#extent());
    const screen = drawnList(
      content,
      this.#state,
      { columns, rows },
      {
        paint: style.paint,
        unicode: style.unicode,
        keys: this.#screen.hasKeys,
        order: this.#source.orders[this.#state.order] ?? '',
        time: new Date(this.#lookedAt).toISOString().slice(11, 19),
      },
    );
    this.#room = screen.room;
    this.#frame = screen.frame;
    this.#screen.show(screen.lines, screen.cursor);
  }

  #contentFor(style: Style): ListContent {
    const { filter, order, reverse } = this.#state;
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
    const lines = this.#content?.lines ?? [];
    return {
      lines: lines.length,
      room: this.#room,
      get width() {
        return lines.reduce((widest, line) => Math.max(widest, paintedWidth(line)), 0);
      },
      columns: this.#screen.size.columns,
      orders: this.#source.orders.length,
    };
  }
}
