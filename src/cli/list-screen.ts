import { visible } from '../text/escape.js';
import { cutPainted, dropPainted, widthOf, wrap } from '../text/width.js';
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
  /** What a line is, if it is not one thing of the list: `lines`. */
  unit?: string;
  /** Below the list; not escaped. */
  notes: readonly string[];
}

/** What the user has chosen. */
export interface ListState {
  /** How many lines and columns are before what is shown. */
  top: number;
  left: number;
  /** Only what contains all its words is listed. */
  filter: string;
  /** The filter is being typed; the text is the filter before. */
  typing: string | undefined;
  /** One of the orders, by its number. */
  order: number;
  reverse: boolean;
}

/** What a key asks of who shows the list, besides another state. */
export type ListAction = 'quit' | 'interrupt' | 'suspend' | 'abort' | 'redraw';

/** What keys need to know of what is shown. */
export interface ListExtent {
  /** All lines of the list, and how many of them the screen has room for. */
  lines: number;
  room: number;
  /** Asked only for lines that may be wider than the screen. The columns of the widest line, and of the screen. */
  width: number;
  columns: number;
  orders: number;
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
}

export interface DrawingOptions {
  paint: Palette;
  unicode: boolean;
  /** There is somebody to press keys. */
  keys: boolean;
  /** The name of the order. */
  order: string;
  /** When the content was true, as text. */
  time: string;
}

export const FIRST_STATE: ListState = {
  top: 0,
  left: 0,
  filter: '',
  typing: undefined,
  order: 0,
  reverse: false,
};

/** One step to the side. */
const SIDE = 8;
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
      default:
        return { state: within(named(state, key.name, extent), extent) };
    }
  }
  if (state.typing !== undefined) {
    return { state: { ...state, filter: (state.filter + key.text).slice(0, LONGEST_FILTER), top: 0 } };
  }
  // What is pasted elsewhere is no command.
  if (key.pasted) return { state };
  let next = state;
  for (const [at, letter] of [...key.text].entries()) {
    if (letter === 'q' || letter === 'Q') return { state: next, action: 'quit' };
    if (letter === '/') {
      const rest = [...key.text].slice(at + 1).join('');
      const typing = { ...next, typing: next.filter, filter: '', top: 0 };
      return rest === '' ? { state: typing } : pressed(typing, { text: rest }, extent);
    }
    next = within(typed(next, letter, extent), extent);
  }
  return { state: next };
}

/** The letters that are commands, as `less`, `vi` and `top` have them. */
function typed(state: ListState, letter: string, extent: ListExtent): ListState {
  switch (letter) {
    case 's':
      return { ...state, order: (state.order + 1) % extent.orders, top: 0 };
    case 'r':
      return { ...state, reverse: !state.reverse, top: 0 };
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
    default:
      return state;
  }
}

function named(state: ListState, name: string, extent: ListExtent): ListState {
  const { lines, room, columns } = extent;
  const page = Math.max(1, room - 1);
  switch (name) {
    case 'up':
      return { ...state, top: state.top - 1 };
    case 'down':
      return { ...state, top: state.top + 1 };
    case 'page-up':
      return { ...state, top: state.top - page };
    case 'page-down':
      return { ...state, top: state.top + page };
    case 'home':
      return { ...state, top: 0, left: 0 };
    case 'end':
      return { ...state, top: lines };
    case 'left':
      return { ...state, left: state.left - SIDE };
    case 'right':
      return { ...state, left: Math.min(state.left + SIDE, Math.max(0, extent.width - columns)) };
    case 'enter':
      return { ...state, typing: undefined };
    case 'escape':
      // While it is typed, back to what it was; else there is none.
      return { ...state, filter: state.typing ?? '', typing: undefined, top: 0 };
    case 'backspace':
      if (state.typing === undefined) return state;
      return { ...state, filter: [...state.filter].slice(0, -1).join(''), top: 0 };
    case 'delete-word':
      if (state.typing === undefined) return state;
      return { ...state, filter: state.filter.replace(/\S*\s*$/, ''), top: 0 };
    case 'delete-line':
      return state.typing === undefined ? state : { ...state, filter: '', top: 0 };
    default:
      return state;
  }
}

/** The state with nothing before the first line and after the last one, as far as the screen can be filled. */
export function within(state: ListState, extent: ListExtent): ListState {
  const { lines, room, columns } = extent;
  const top = Math.max(0, Math.min(state.top, lines - room));
  const left = state.left <= 0 ? 0 : Math.max(0, Math.min(state.left, extent.width - columns));
  return top === state.top && left === state.left ? state : { ...state, top, left };
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
  const { paint } = options;
  const bottom = rows > 1 ? 1 : 0;
  let left = Math.max(0, rows - bottom);
  const take = (lines: readonly string[], most: number): string[] => {
    const taken = lines.slice(0, Math.max(0, Math.min(most, left)));
    left -= taken.length;
    return taken;
  };
  const titles = content.titles === undefined || rows < 4 ? [] : [content.titles];
  left -= titles.length;
  const summary = take(content.summary, rows < 3 ? 0 : Math.max(1, rows >> 2));
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
  const list = [...titles.map(side), ...shown.map(side)];
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
  };
}

/** At most so many lines; the last one says how many are left out. */
function firstOf(lines: readonly string[], most: number): readonly string[] {
  if (lines.length <= most) return lines;
  return [...lines.slice(0, most - 1), `${lines.length - most + 1} more lines`];
}

function moreText(above: number, below: number, unit: string | undefined): string {
  const of = unit === undefined ? '' : ` ${unit}`;
  const parts = [...(below > 0 ? [`${below} more${of}`] : []), ...(above > 0 ? [`${above}${of} above`] : [])];
  return parts.join(', ');
}

/** The filter while it is typed, else the keys, and the time at the right if there is room for it. */
function bottomLine(
  state: ListState,
  columns: number,
  { paint, unicode, keys, order, time }: DrawingOptions,
  found: number,
): { text: string; column?: number } {
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
  const parts = keys ? ['q quit', filter, sort, 'r reverse', scroll] : ['Ctrl-C quit'];
  let text = '';
  for (const part of parts) {
    const longer = text === '' ? part : `${text}  ${part}`;
    if (widthOf(longer) > columns) break;
    text = longer;
  }
  const room = columns - widthOf(text) - time.length;
  return { text: paint.dim(room < 2 ? text : text + ' '.repeat(room) + time) };
}
