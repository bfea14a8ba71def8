import { describeReturnCode } from '../task/return-code.js';
import type { TaskTransition } from '../task/transition-watch.js';
import { timestamp } from '../text/age.js';
import { visible } from '../text/escape.js';
import { shorten, widthOf } from '../text/width.js';
import { paintOf } from './parts/paint.js';
import { shortIds } from './parts/short-ids.js';
import type { Style } from './parts/style.js';

const GAP = '  ';
/** `FINALIZING`. */
const STATE_WIDTH = 10;
/** Columns that get wider with what is in them do so up to this. */
const MOST_WIDTH = 64;
/** A task id is not cut below this for what comes after it. */
const LEAST_ID = 16;

/**
 * Draws transitions, a line each: time, state, task, process and run, and how it ended. On a terminal with the time of
 * day (UTC), short ids, in columns that get wider with what comes, and a line for each new day; nothing is cut on a pipe.
 */
export class EventLines {
  readonly #style: Style;
  #day: string;
  #idWidth = 0;
  #processWidth = 0;
  /** By task id. */
  readonly #short = new Map<string, string>();

  constructor(style: Style) {
    this.#style = style;
    this.#day = dayOf(timestamp(style.now));
  }

  text(transition: TaskTransition): string {
    return this.#style.tty ? this.#ofTerminal(transition) : ofPipe(transition);
  }

  #ofTerminal(transition: TaskTransition): string {
    const { process, run, task_id } = transition;
    const { paint, unicode, width = 80 } = this.#style;
    const mark = unicode ? '…' : '...';
    const time = timestamp(transition.time_ms);
    const newDay = dayOf(time) === this.#day ? '' : `${paint.dim(dayOf(time))}\n`;
    this.#day = dayOf(time);
    const state = String(transition.state);
    const before = `${newDay}${time.slice(11, 19)}${GAP}${paintOf(paint, state)(state.padEnd(STATE_WIDTH))}${GAP}`;
    const room = Math.max(LEAST_ID, width - '00:00:00'.length - STATE_WIDTH - 2 * GAP.length);
    const whole = visible(this.#shortId(task_id));
    this.#idWidth = Math.max(this.#idWidth, Math.min(MOST_WIDTH, widthOf(whole)));
    const name = process === undefined ? '' : `${visible(process)} ${run}`;
    this.#processWidth = Math.max(this.#processWidth, Math.min(MOST_WIDTH, widthOf(name)));
    const detail = detailOf(transition);
    const brief = detail.replace(/ \(.*/, '').replace(/^signal \d+, /, '');
    const left = room - widthOfAll(name, brief);
    const id = shorten(whole, Math.max(LEAST_ID, left), 'middle', mark);
    if (name === '') return `${before}${id}\n`;
    // Columns give way where a line would become too long.
    const afterId = Math.max(0, Math.min(this.#idWidth, left) - widthOf(id));
    const start = id + ' '.repeat(afterId) + GAP + name;
    const atEnd = room - widthOf(start);
    const afterName = Math.max(0, Math.min(this.#processWidth - widthOf(name), atEnd - widthOfAll(brief)));
    const end = [detail, brief].find((text) => afterName + widthOfAll(text) <= atEnd) ?? brief;
    const line = end === '' ? start : start + ' '.repeat(afterName) + GAP + end;
    return `${before}${shorten(line, room, 'end', mark)}\n`;
  }

  #shortId(task_id: string): string {
    const known = this.#short.get(task_id);
    if (known !== undefined) return known;
    if (this.#short.size >= MOST_REMEMBERED) this.#short.clear();
    const ids = [...this.#short.keys(), task_id];
    const short = shortIds(
      ids,
      ids.map(() => ({ user: undefined, name: undefined })),
    );
    for (const [i, id] of ids.entries()) this.#short.set(id, short[i] as string);
    return this.#short.get(task_id) as string;
  }
}

/** Ids are short so that they differ from so many that were shown before. */
const MOST_REMEMBERED = 256;

/** Of the cells that there are, with the gap before each. */
function widthOfAll(...cells: readonly string[]): number {
  return cells.reduce((sum, cell) => (cell === '' ? sum : sum + GAP.length + widthOf(cell)), 0);
}

function dayOf(time: string): string {
  return time.slice(0, 10);
}

function ofPipe(transition: TaskTransition): string {
  const { time_ms, state, task_id, process, run } = transition;
  const cells = [
    timestamp(time_ms).replace(/:(\d\d)Z$/, ':$1.000Z'),
    String(state).padEnd(STATE_WIDTH),
    visible(task_id),
    process === undefined ? '-' : visible(process) || '-',
    run === undefined ? '-' : String(run),
    detailOf(transition) || '-',
  ];
  return `${cells.join(GAP)}\n`;
}

/** How it ended, or what runs. */
function detailOf({ state, return_code, pid }: TaskTransition): string {
  if (state === 'RUNNING' && pid !== undefined) return `pid ${pid}`;
  return describeReturnCode(return_code);
}
