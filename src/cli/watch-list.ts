import type { ChildProcess } from 'node:child_process';
import { performance } from 'node:perf_hooks';
import { errnoOf, ThermosError } from '../errors/errors.js';
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
import { SeenLines } from './seen-lines.js';
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
  /** It does something to the selected line: then that must be one which the user has seen as such. */
  readonly onSelected?: true;
  /** `selected`: the id of the selected line. */
  press(selected: string | undefined): ListEffect;
}

/**
 * What a key leads to: the list is drawn again, with `relist` because it has other lines; or first a question, which `y`
 * answers with yes; or another list, which Escape and `back` leave; or another program, which has the terminal until it ends.
 */
export type ListEffect =
  | 'redraw'
  | 'relist'
  | 'back'
  | { question: string; yes: () => void }
  | { open: ListSource | (() => Promise<ListSource>) }
  | {
      /** Above what the program writes; not escaped. */
      intro: readonly string[];
      lend: () => ChildProcess;
      ended: (by: number | NodeJS.Signals) => void;
    };

/** What is listed on a screen, and changes. */
export interface ListSource {
  /** The names of the orders; the first one is used first. */
  readonly orders: readonly string[];
  /** Letters that choose an order, by its name. */
  readonly orderLetters?: Readonly<Record<string, string>>;
  readonly keys?: readonly ListKey[];
  /** What Enter does to the selected line. */
  enter?(selected: string | undefined): ListEffect;
  /** How long after the last look to look again, if not after the interval. */
  readonly pauseMs?: number;
  /** It can follow its end, and begins with that, or not; only if no line can be selected. */
  readonly followsEnd?: boolean;
  /** Gives what to call when it has changed without a look; again when it is shown again. */
  listen?(changed: () => void): void;
  /** The list is not shown any more. */
  close?(): void;
  /** Looks again. Resolves to false if what it lists is as before, but for ages. */
  look(): Awaitable<boolean>;
  /** Draws what the last look has seen. */
  content(request: ListRequest): ListContent;
}

const IS_GONE = 'What was selected is not listed any more. Select a line with the arrows.';
const WAS_HIDDEN = 'What is selected was out of sight: see it, and press the key again.';
const HAS_CHANGED = 'The list has changed while you typed: see what is selected, and press the key again.';

/** How long the screen stays as it is while a list is opened. */
const SOON_MS = 100;

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
  const session = new Session(terminal, screen, source, 'outer');
  screen.open();
  // Of 10,000 tasks, each collection takes 0.2 s.
  collectOnceWhenIdle();
  let end: SessionEnd;
  try {
    end = await session.run(intervalMs);
  } finally {
    screen.close();
  }
  if (end === 'SIGHUP' || end === 'SIGQUIT') return { exitCode: endBy(end), notes: [] };
  const { frame, notes } = session.last;
  terminal.draw(frame.map((line) => `${line}\n`).join(''));
  return { exitCode: end === 'quit' || end === 'back' ? EXIT.ok : endBy(end), notes };
}

/** How a list is left: to the one below it, or with all of them. */
type SessionEnd = EndingSignal | 'quit' | 'back';

/** What is shown of a list before it was looked at. */
const UNKNOWN: ListContent = { summary: [], titles: undefined, lines: [], notes: ['reading'] };

/** Keys that end or stop the program, or draw it again, do that also while there is a question. */
function isForAll(key: Key): boolean {
  return 'name' in key && ['interrupt', 'suspend', 'abort', 'redraw'].includes(key.name);
}

class Session {
  readonly #terminal: Terminal;
  readonly #screen: FullScreen;
  readonly #source: ListSource;
  /** It was opened from another list, which Escape leads back to. */
  readonly #isInner: boolean;
  readonly #letters: ReadonlySet<string>;
  readonly #orderLetters: ReadonlyMap<string, number>;
  #state: ListState;
  /** There is something to draw: it was looked at. */
  #isKnown: boolean;
  /** Why a list that was opened from this one was left. */
  #failure: string | undefined;
  /** It was looked at, and what was seen is not drawn yet. */
  #isUndrawn = true;
  readonly #seen = new SeenLines();
  /** Something was done: it is looked at again, before the interval is over. */
  #isDue = false;
  #content: ListContent | undefined;
  /** What the content was drawn for, when, and how long that took, milliseconds. */
  #drawn = { request: '', at: 0, took: 0 };
  #lookedAt: number;
  #room = 0;
  #frame: readonly string[] = [];
  #question: Extract<ListEffect, { question: string }> | undefined;
  /** The first frame that showed the question. */
  #askedIn: number | undefined;

  constructor(terminal: Terminal, screen: FullScreen, source: ListSource, place: 'outer' | 'inner') {
    this.#terminal = terminal;
    this.#screen = screen;
    this.#source = source;
    this.#isInner = place === 'inner';
    this.#isKnown = place === 'outer';
    this.#state = { ...FIRST_STATE, follows: source.followsEnd ?? false };
    this.#lookedAt = terminal.now();
    this.#letters = new Set(source.keys?.map(({ letter }) => letter));
    const letters = Object.entries(source.orderLetters ?? {});
    this.#orderLetters = new Map(letters.map(([letter, order]) => [letter, source.orders.indexOf(order)]));
  }

  get last(): { frame: readonly string[]; notes: readonly string[] } {
    return { frame: this.#frame, notes: this.#content?.notes ?? [] };
  }

  /** Resolves when the user or a signal ends it; rejects with what a look throws. */
  async run(intervalMs: number): Promise<SessionEnd> {
    const source = this.#source;
    let failure: { error: unknown } | undefined;
    let isLooking = false;
    const dueAt = () => performance.now() + (source.pauseMs ?? intervalMs);
    let next = dueAt();
    const look = async () => {
      try {
        if (await source.look()) this.#content = undefined;
        this.#lookedAt = this.#terminal.now();
        this.#isKnown = true;
        this.#isUndrawn = true;
      } catch (error) {
        failure = { error };
      }
      // What was typed meanwhile was meant for what is shown now.
      await this.#screen.heardAll();
      isLooking = false;
      next = dueAt();
      this.#screen.wake();
    };
    this.#listen();
    if (this.#isKnown) this.#draw();
    else {
      isLooking = true;
      void look();
    }
    let soon = SOON_MS;
    for (;;) {
      const rest = this.#isDue ? 0 : next - performance.now();
      const event = await this.#screen.next(isLooking ? soon : rest);
      if (failure !== undefined) throw failure.error;
      if (event === undefined && isLooking) {
        soon = Number.POSITIVE_INFINITY;
        if (!this.#isKnown) this.#draw();
        continue;
      }
      if (event === undefined) {
        isLooking = true;
        this.#isDue = false;
        void look();
        continue;
      }
      if (event === 'woken' || event === 'resize') this.#draw();
      else if ('ends' in event) return event.ends;
      else {
        if (this.#isUndrawn) this.#draw();
        const end = await this.#press(event.key, event.frame, intervalMs);
        if (end !== undefined) return end;
      }
    }
  }

  #listen(): void {
    this.#source.listen?.(() => {
      this.#content = undefined;
      this.#isDue = true;
      this.#screen.wake();
    });
  }

  /** `frame`: what was shown when the key came. Resolves to how it ended, if the key has ended it. */
  async #press(key: Key, frame: number, intervalMs: number): Promise<SessionEnd | undefined> {
    this.#failure = undefined;
    if (this.#question !== undefined && !isForAll(key)) {
      // What was typed before the question could be read is no answer.
      if (frame >= (this.#askedIn ?? Number.POSITIVE_INFINITY)) this.#answer(key);
      this.#draw();
      return undefined;
    }
    this.#contentNow();
    const { state, action } = pressed(this.#state, key, this.#extent());
    this.#state = state;
    if (action === 'quit' || (action === 'back' && this.#isInner)) return action;
    if (action === 'redraw') this.#screen.redraw();
    else if (action === 'interrupt') this.#screen.raise('SIGINT');
    else if (action === 'suspend') this.#screen.raise('SIGTSTP');
    else if (action === 'abort') this.#screen.raise('SIGQUIT');
    else {
      if (action === 'enter') {
        const end = await this.#effect(
          this.#onSeen(frame, (id) => this.#source.enter?.(id)),
          intervalMs,
        );
        if (end !== undefined) return end;
      } else if (typeof action === 'object') {
        const key = this.#source.keys?.find(({ letter }) => letter === action.letter);
        const effect = key?.onSelected
          ? this.#onSeen(frame, (id) => key.press(id))
          : key?.press(this.#selected);
        const end = await this.#effect(effect, intervalMs);
        if (end !== undefined) return end;
        // What was typed before there was a question is no answer.
        if (action.rest !== '' && this.#question === undefined) {
          const failure = this.#failure;
          const ended = await this.#press({ text: action.rest }, frame, intervalMs);
          this.#failure ??= failure;
          if (ended !== undefined) return ended;
        }
      }
      this.#draw();
    }
    return undefined;
  }

  /** Only a `y` that was typed alone means yes. */
  #answer(key: Key): void {
    const isYes = 'text' in key && !key.pasted && /^y$/i.test(key.text);
    if (isYes) this.#question?.yes();
    this.#question = undefined;
    this.#content = undefined;
  }

  /** The id of the selected line. */
  get #selected(): string | undefined {
    const { ids } = this.#contentNow();
    this.#state = within(this.#state, this.#extent());
    return this.#state.isGone ? undefined : ids?.[this.#state.at];
  }

  /**
   * What a key does to the selected line, if the user can mean that one: not if it has gone, is out of sight, or was reached
   * in a list that nobody has seen yet.
   */
  #onSeen(frame: number, act: (id: string) => ListEffect | undefined): ListEffect | undefined {
    const id = this.#selected;
    if (id !== undefined && !this.#seen.canMean(id, frame)) this.#failure = HAS_CHANGED;
    else if (id !== undefined && !this.#isInSight) {
      this.#state = { ...this.#state, isChosen: true };
      this.#failure = WAS_HIDDEN;
    } else if (id !== undefined) return act(id);
    else if (this.#state.isGone) this.#failure = IS_GONE;
    return undefined;
  }

  get #isInSight(): boolean {
    const { at, top } = this.#state;
    return at >= top && at < top + this.#room;
  }

  /** Resolves to how all lists are left, if that happens meanwhile. */
  async #effect(effect: ListEffect | undefined, intervalMs: number): Promise<SessionEnd | undefined> {
    this.#content = undefined;
    if (effect === 'relist') this.#state = { ...this.#state, mayMove: true };
    if (effect === 'back') return effect;
    if (effect === undefined || effect === 'redraw' || effect === 'relist') return undefined;
    if ('question' in effect) {
      this.#question = effect;
      this.#askedIn = undefined;
      return undefined;
    }
    let opened: ListSource | undefined;
    try {
      if ('lend' in effect) effect.ended(await this.#screen.lend(effect.lend, effect.intro));
      else {
        opened = typeof effect.open === 'function' ? await effect.open() : effect.open;
        const end = await new Session(this.#terminal, this.#screen, opened, 'inner').run(intervalMs);
        if (end !== 'back') return end;
      }
    } catch (error) {
      // What was opened may be gone meanwhile; the list below it is not.
      if (!(error instanceof ThermosError) && errnoOf(error) === undefined) throw error;
      this.#failure = (error as Error).message;
    } finally {
      opened?.close?.();
      this.#listen();
      this.#content = undefined;
    }
    return undefined;
  }

  #draw(): void {
    const { columns, rows } = this.#screen.size;
    const known = this.#contentNow();
    if (this.#isUndrawn) this.#seen.found(known.ids, this.#screen.frame + 1);
    this.#isUndrawn = false;
    // Before it is drawn: what is gone is said.
    this.#state = within(this.#state, this.#extent());
    const gone = this.#state.isGone && this.#state.isChosen ? IS_GONE : undefined;
    const said = this.#failure ?? gone;
    const content = { ...known, notes: [...(said === undefined ? [] : [said]), ...known.notes] };
    const style = this.#style();
    const question = this.#question?.question;
    const options = {
      paint: style.paint,
      unicode: style.unicode,
      keys: this.#screen.hasKeys,
      isInner: this.#isInner,
      canEnter: this.#source.enter !== undefined,
      hasEnd: this.#source.followsEnd !== undefined,
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
    const state = within(this.#state, this.#extent());
    if (state !== this.#state) screen = drawnList(content, state, { columns, rows }, options);
    this.#state = state;
    this.#frame = screen.frame;
    this.#seen.drawn(known.ids, screen.marked);
    this.#screen.show(screen.lines, screen.cursor);
    if (this.#question !== undefined) this.#askedIn ??= this.#screen.frame;
  }

  #style(): Style {
    return { ...this.#terminal.style(1), width: this.#screen.size.columns };
  }

  #contentNow(): ListContent {
    if (!this.#isKnown) return UNKNOWN;
    const { filter, order, reverse } = this.#state;
    const style = this.#style();
    const request = JSON.stringify([filter, order, reverse, style.width]);
    const start = performance.now();
    const { at, took } = this.#drawn;
    const isOld = start - at >= took * SHARE;
    if (this.#content === undefined || isOld || request !== this.#drawn.request) {
      // In another order, what was shown is no longer what is meant.
      if (request !== this.#drawn.request) this.#state = { ...this.#state, listed: undefined };
      this.#content = this.#source.content({ filter, order, reverse, style });
      this.#drawn = { request, at: start, took: performance.now() - start };
    }
    return this.#content;
  }

  #extent(): ListExtent {
    const { lines = [], ids, names } = this.#content ?? {};
    return {
      lines: lines.length,
      room: this.#room,
      get width() {
        return lines.reduce((widest, line) => Math.max(widest, paintedWidth(line)), 0);
      },
      columns: this.#screen.size.columns,
      orders: Math.max(1, this.#source.orders.length),
      ids,
      names,
      hasEnd: this.#source.followsEnd !== undefined,
      letters: this.#letters,
      orderLetters: this.#orderLetters,
    };
  }
}
