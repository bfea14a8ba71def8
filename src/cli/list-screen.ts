import { visible } from '../text/escape.js';
import { cutPainted, dropPainted, paintedWidth, widthOf, wrap } from '../text/width.js';
import type { Palette } from '../views/parts/paint.js';
import type { Key } from './keys.js';

/** The room of a screen, in characters. */
export interface ScreenSize {
  columns: number;
  rows: number;
}

/** What a list shows, drawn for one width; its lines are escaped and may be painted. */
export interface ListContent {
  /** Above the list. */
  summary: readonly string[];
  titles: string | undefined;
  /** Those that pass the filter, in their order. They may be wider than the screen. */
  lines: readonly string[];
  /** What a line is, if it is not one thing of the list: `line`. */
  unit?: string;
  /** What the lines are about, if one of them can be selected: an id for each of them, none twice. */
  ids?: readonly string[];
  /** What each line is about, if none can be selected: what the user has moved to stays where it is shown. */
  names?: readonly string[];
  /** Below the list; not escaped. */
  notes: readonly string[];
}

/** What the user has chosen. */
export interface ListState {
  /** How many lines and columns are before what is shown. */
  top: number;
  left: number;
  /** The names of the lines when `top` was chosen; undefined if it means others, too. */
  listed: readonly string[] | undefined;
  /** Only what contains all its words is listed. */
  filter: string;
  /** The filter is being typed; the text is the filter before. */
  typing: string | undefined;
  /** One of the orders, by its number. */
  order: number;
  reverse: boolean;
  /** The line that is selected, if one can be, and its id. */
  at: number;
  selected: string | undefined;
  /** If what is selected is not listed, another line may be: the user has changed what is listed. */
  mayMove: boolean;
  /** What was selected is not listed any more: nothing is selected until the user moves. */
  isGone: boolean;
  /** The user has moved to it: it stays in sight. */
  isChosen: boolean;
  /** Its end stays in sight when it grows. */
  follows: boolean;
}

/**
 * What a key asks of who shows the list, besides another state. `back`: Escape where there is nothing to undo. `enter`:
 * while no filter is typed. `letter`: one that only this list knows, with what was typed behind it.
 */
export type ListAction =
  | 'quit'
  | 'back'
  | 'enter'
  | 'interrupt'
  | 'suspend'
  | 'abort'
  | 'redraw'
  | { letter: string; rest: string };

/** What keys need to know of what is shown. */
export interface ListExtent {
  /** All lines of the list, and how many of them the screen has room for. */
  lines: number;
  room: number;
  /** Asked only for lines that may be wider than the screen. The columns of the widest line, and of the screen. */
  width: number;
  columns: number;
  orders: number;
  ids?: readonly string[];
  names?: readonly string[];
  /** It can follow its end. */
  hasEnd?: boolean;
  /** Those that only this list knows. */
  letters?: ReadonlySet<string>;
  /** Those that choose an order, by its number. */
  orderLetters?: ReadonlyMap<string, number>;
}

export interface DrawnScreen {
  /** The part that stays when the screen is left: without blank rows, notes and keys. */
  frame: string[];
  /** One for each row of the screen, no wider than it. */
  lines: string[];
  /** Where the filter is being typed, from 0. */
  cursor: { row: number; column: number } | undefined;
  /** How many lines of the list there is room for. */
  room: number;
  /** The id of the line that is marked as the selected one; undefined if none is. */
  marked: string | undefined;
}

export interface DrawingOptions {
  paint: Palette;
  unicode: boolean;
  /** There is somebody to press keys. */
  keys: boolean;
  /** Another list is below it. */
  isInner?: boolean;
  /** Enter leads into the selected line. */
  canEnter?: boolean;
  /** It can follow its end. */
  hasEnd?: boolean;
  /** The name of the order; undefined if there is none. */
  order: string | undefined;
  /** What the letters do that only this list knows. */
  hints?: readonly string[];
  /** Shown instead of the keys; the next key answers it. */
  question?: string;
  /** When the content was true, as text. */
  time: string;
}

export const FIRST_STATE: ListState = {
  top: 0,
  left: 0,
  listed: undefined,
  filter: '',
  typing: undefined,
  order: 0,
  reverse: false,
  at: 0,
  selected: undefined,
  mayMove: true,
  isGone: false,
  isChosen: false,
  follows: false,
};

/** The columns before a line that can be selected. */
export const MARK = 2;
/** One step to the side. */
const SIDE = 8;
/** One step of the wheel, where no line can be selected. */
const WHEEL = 3;
/** A longer filter is cut: nothing that is listed contains it. */
const LONGEST_FILTER = 256;

/** The state after a key. Pure. */
export function pressed(
  state: ListState,
  key: Key,
  extent: ListExtent,
): { state: ListState; action?: ListAction } {
  if ('name' in key) {
    switch (key.name) {
      case 'interrupt':
      case 'suspend':
      case 'abort':
      case 'redraw':
        return { state, action: key.name };
      case 'escape':
        if (state.typing === undefined && state.filter === '') return { state, action: 'back' };
        return { state: kept(named(state, key.name, extent), extent) };
      case 'enter':
        if (state.typing === undefined) return { state, action: 'enter' };
        return { state: { ...state, typing: undefined } };
      default:
        return { state: kept(named(state, key.name, extent), extent) };
    }
  }
  if (state.typing !== undefined) {
    return { state: filtered(state, (state.filter + key.text).slice(0, LONGEST_FILTER)) };
  }
  // What is pasted elsewhere is no command.
  if (key.pasted) return { state };
  let next = state;
  for (const [at, letter] of [...key.text].entries()) {
    if (letter === 'q' || letter === 'Q') return { state: next, action: 'quit' };
    const rest = [...key.text].slice(at + 1).join('');
    if (extent.letters?.has(letter)) return { state: next, action: { letter, rest } };
    if (letter === '/') {
      const typing = { ...filtered(next, ''), typing: next.filter };
      return rest === '' ? { state: typing } : pressed(typing, { text: rest }, extent);
    }
    next = kept(typed(next, letter, extent), extent);
  }
  return { state: next };
}

/** As `within`, unless other lines are listed next: what is selected is seen then. */
function kept(state: ListState, extent: ListExtent): ListState {
  return state.mayMove && extent.ids !== undefined ? state : within(state, extent);
}

/** The letters that are commands, as `less`, `vi` and `top` have them. */
function typed(state: ListState, letter: string, extent: ListExtent): ListState {
  const order = extent.orderLetters?.get(letter);
  if (order !== undefined) return ordered(state, order);
  switch (letter) {
    case 's':
    case '>':
      return ordered(state, (state.order + 1) % extent.orders);
    case '<':
      return ordered(state, (state.order + extent.orders - 1) % extent.orders);
    case 'r':
    case 'R':
      return { ...ordered(state, state.order), reverse: !state.reverse };
    case 'j':
      return named(state, 'down', extent);
    case 'k':
      return named(state, 'up', extent);
    case ' ':
      return named(state, 'page-down', extent);
    case 'g':
      return named(state, 'home', extent);
    case 'G':
      return named(state, 'end', extent);
    case 'f':
      return extent.hasEnd ? { ...state, follows: !state.follows } : state;
    default:
      return state;
  }
}

function named(state: ListState, name: string, extent: ListExtent): ListState {
  const { lines, room, columns } = extent;
  const page = Math.max(1, room - 1);
  switch (name) {
    case 'up':
      return moved(state, -1, extent);
    case 'down':
      return moved(state, 1, extent);
    case 'wheel-up':
      return moved(state, extent.ids === undefined ? -WHEEL : -1, extent);
    case 'wheel-down':
      return moved(state, extent.ids === undefined ? WHEEL : 1, extent);
    case 'page-up':
      return moved(state, -page, extent);
    case 'page-down':
      return moved(state, page, extent);
    case 'home':
      return { ...moved(state, -lines, extent), left: 0 };
    case 'end':
      return moved(state, lines, extent);
    case 'left':
      return { ...state, left: state.left - SIDE };
    case 'right':
      return { ...state, left: Math.min(state.left + SIDE, Math.max(0, extent.width - columns)) };
    case 'escape':
      // While it is typed, back to what it was; else there is none.
      return { ...filtered(state, state.typing ?? ''), typing: undefined };
    case 'backspace':
      if (state.typing === undefined) return state;
      return filtered(state, [...state.filter].slice(0, -1).join(''));
    case 'delete-word':
      if (state.typing === undefined) return state;
      return filtered(state, state.filter.replace(/\S*\s*$/, ''));
    case 'delete-line':
      return state.typing === undefined ? state : filtered(state, '');
    default:
      return state;
  }
}

/** With another filter, the first line that passes it is selected if the selected one does not. */
function filtered(state: ListState, filter: string): ListState {
  return { ...state, filter, top: 0, mayMove: true, isChosen: true };
}

/** In another order, what the user has chosen stays selected, else the first line is. */
function ordered(state: ListState, order: number): ListState {
  if (state.isChosen) return { ...state, order, top: 0 };
  return { ...state, order, top: 0, at: 0, selected: undefined, mayMove: true };
}

/** Moves the selection, or what is shown, by so many lines. Who moves to the end of what grows stays there. */
function moved(state: ListState, by: number, { lines, room, ids, hasEnd = false }: ListExtent): ListState {
  if (ids === undefined) {
    const top = state.top + by;
    return { ...state, top, follows: hasEnd && top >= lines - room };
  }
  let from = state.isGone && by > 0 ? state.at - 1 : state.at;
  // What is selected was out of sight: from the edge of what is not.
  if (room > 0 && (from < state.top - 1 || from >= state.top + room))
    from = by > 0 ? state.top - 1 : state.top + room;
  const at = Math.max(0, Math.min(from + by, lines - 1));
  const selected = ids[at];
  return { ...state, at, selected, isGone: false, mayMove: selected === undefined, isChosen: true };
}

/**
 * The state with nothing before the first line and after the last one, as far as the screen can be filled. What is
 * selected stays selected where it is listed now, and in sight if the user has moved to it. If it is not listed any more,
 * nothing is selected, unless the user has changed what is listed. Where nothing can be selected, the lines that are
 * shown stay where they are if others come or go above them.
 */
export function within(state: ListState, extent: ListExtent): ListState {
  const { lines, room, columns, ids, names } = extent;
  let { top, at, selected, mayMove, isGone } = state;
  if (ids !== undefined) {
    const found = selected === undefined ? -1 : ids.indexOf(selected);
    at = found === -1 ? Math.max(0, Math.min(at, lines - 1)) : found;
    isGone = found === -1 && !mayMove;
    if (found === -1 && mayMove && lines > 0) selected = ids[at];
    mayMove &&= lines === 0;
    if (room > 0 && state.isChosen) top = Math.max(at - room + 1, Math.min(top, at));
  }
  const listed = ids === undefined ? names : undefined;
  if (top > 0 && listed !== state.listed && listed !== undefined && state.listed !== undefined)
    top = heldTop(state.listed.slice(top, top + room), listed) ?? top;
  if (state.follows) top = lines - room;
  top = Math.max(0, Math.min(top, lines - room));
  const left = state.left <= 0 ? 0 : Math.max(0, Math.min(state.left, extent.width - columns));
  const next = { ...state, top, listed, left, at, selected, mayMove, isGone };
  return isSame(next, state) ? state : next;
}

/**
 * How many lines are now before those that were shown, so that most of them stay where they are; undefined if none is left.
 * One that has another place in the order does not take the others with it.
 */
function heldTop(shown: readonly string[], names: readonly string[]): number | undefined {
  const places = new Map(names.map((name, i) => [name, i]));
  const counts = new Map<number, number>();
  for (const [i, name] of shown.entries()) {
    const at = places.get(name);
    if (at !== undefined) counts.set(at - i, (counts.get(at - i) ?? 0) + 1);
  }
  const most = Math.max(...counts.values());
  return [...counts].find(([, count]) => count === most)?.[0];
}

function isSame(one: ListState, other: ListState): boolean {
  return (Object.keys(one) as (keyof ListState)[]).every((name) => one[name] === other[name]);
}

/**
 * The rows of the screen: the summary, the titles and as many lines as there is room for, how many are not shown, the
 * notes, and at last the keys. On a screen that is too low for all that, the list keeps the most. Pure.
 */
export function drawnList(
  content: ListContent,
  state: ListState,
  { columns, rows }: ScreenSize,
  options: DrawingOptions,
): DrawnScreen {
  const { paint, unicode, keys } = options;
  const bottom = rows > 1 ? 1 : 0;
  let left = Math.max(0, rows - bottom);
  const take = (lines: readonly string[], most: number): string[] => {
    const taken = lines.slice(0, Math.max(0, Math.min(most, left)));
    left -= taken.length;
    return taken;
  };
  // What is above the list cannot be moved to the side.
  const ellipsis = unicode ? '…' : '...';
  const whole = (line: string) =>
    paintedWidth(line) <= columns ? line : cutPainted(line, columns - ellipsis.length) + ellipsis;
  const titles = content.titles === undefined || rows < 4 ? [] : [content.titles];
  left -= titles.length;
  const summary = take(content.summary, rows < 3 ? 0 : Math.max(1, rows >> 2)).map(whole);
  const wrapped = content.notes.flatMap((note) => wrap(visible(note), columns));
  const notes = take(firstOf(wrapped, rows >> 2), rows < 6 ? 0 : rows >> 2);
  const gap = summary.length > 0 && rows >= 10 ? [''] : [];
  left -= gap.length;
  const fits = content.lines.length <= left;
  const room = Math.max(0, fits ? left : left - 1);
  const top = Math.max(0, Math.min(state.top, content.lines.length - room));
  const shown = content.lines.slice(top, top + room);
  const below = content.lines.length - top - shown.length;
  const side = (line: string) => (state.left === 0 ? line : dropPainted(line, state.left));
  const isSelected = (i: number) => keys && !state.isGone && top + i === state.at;
  const mark = (line: string, selected: boolean) =>
    content.ids === undefined ? line : selected ? paint.bold(`${unicode ? '›' : '>'} ${line}`) : `  ${line}`;
  const list = [
    ...titles.map((line) => mark(side(line), false)),
    ...shown.map((line, i) => mark(side(line), isSelected(i))),
  ];
  if (!fits && left > 0) list.push(paint.dim(moreText(top, below, content.unit)));
  const above = [...summary, ...gap, ...list];
  const blank = Array<string>(Math.max(0, rows - bottom - above.length - notes.length)).fill('');
  const last = bottom === 0 ? undefined : bottomLine(state, columns, options, content.lines.length);
  const lines = [...above, ...blank, ...notes, ...(last === undefined ? [] : [last.text])].slice(0, rows);
  return {
    frame: above.map((line) => cutPainted(line, columns)),
    lines: lines.map((line) => cutPainted(line, columns)),
    cursor: last?.column === undefined ? undefined : { row: rows - 1, column: last.column },
    room,
    marked: shown.findIndex((_, i) => isSelected(i)) === -1 ? undefined : content.ids?.[state.at],
  };
}

/** At most so many lines; the last one says how many are left out. */
function firstOf(lines: readonly string[], most: number): readonly string[] {
  if (lines.length <= most) return lines;
  return [...lines.slice(0, most - 1), `${lines.length - most + 1} more lines`];
}

function moreText(above: number, below: number, unit: string | undefined): string {
  const of = (count: number) => (unit === undefined ? '' : ` ${unit}${count === 1 ? '' : 's'}`);
  const parts = [
    ...(below > 0 ? [`${below} more${of(below)}`] : []),
    ...(above > 0 ? [`${above}${of(above)} above`] : []),
  ];
  return parts.join(', ');
}

/** The filter while it is typed, else the keys, and the time at the right if there is room for it. */
function bottomLine(
  state: ListState,
  columns: number,
  { paint, unicode, keys, isInner, canEnter, hasEnd, order, time, hints = [], question }: DrawingOptions,
  found: number,
): { text: string; column?: number } {
  if (question !== undefined) {
    const text = cutPainted(visible(question), columns - 1);
    return { text: paint.bold(text), column: widthOf(text) };
  }
  if (state.typing !== undefined) {
    const text = `/${visible(state.filter)}`;
    // The end of a long filter is what is typed now.
    const shown = widthOf(text) < columns ? text : dropPainted(text, widthOf(text) - columns + 1);
    const hint = '  Enter: keep it  Esc: as before';
    const room = columns - widthOf(shown) - 1;
    return { text: shown + paint.dim(hint.length <= room ? ` ${hint}` : ''), column: widthOf(shown) };
  }
  const filter = state.filter === '' ? '/ filter' : `/ filter '${visible(state.filter)}': ${found}`;
  const sort = `s sort${order === '' ? '' : `: ${order}`}${state.reverse ? ', reversed' : ''}`;
  const scroll = unicode ? '↑↓ PgUp PgDn' : 'arrows PgUp PgDn';
  const ordering = order === undefined ? [] : [sort, ...(hints.length > 1 ? [] : ['r reverse'])];
  const following = hasEnd ? [`f follow: ${state.follows ? 'on' : 'off'}`] : [];
  const parts = keys
    ? [
        ...(isInner ? ['Esc back'] : []),
        'q quit',
        ...(canEnter ? ['Enter open'] : []),
        filter,
        ...following,
        ...ordering,
        ...hints,
      ]
    : ['Ctrl-C quit'];
  let text = '';
  const add = (part: string, room: number): boolean => {
    const longer = text === '' ? part : `${text}  ${part}`;
    const fits = widthOf(longer) <= room;
    if (fits) text = longer;
    return fits;
  };
  // Everybody finds the arrows: they do not take the room of the time.
  if (parts.every((part) => add(part, columns)) && keys) add(scroll, columns - time.length - 2);
  const room = columns - widthOf(text) - time.length;
  return { text: paint.dim(room < 2 ? text : text + ' '.repeat(room) + time) };
}
