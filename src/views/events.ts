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
    const { time_ms, process, run, task_id } = transition;
    const { paint, unicode, width = 80 } = this.#style;
    const mark = unicode ? '…' : '...';
    const time = timestamp(time_ms);
    const day = dayOf(time);
    const newDay = day === this.#day ? '' : `${paint.dim(day)}\n`;
    this.#day = day;
    const state = String(transition.state);
    const whole = visible(this.#shortId(task_id));
    this.#idWidth = Math.max(this.#idWidth, Math.min(MOST_WIDTH, widthOf(whole)));
    const name = process === undefined ? '' : `${visible(process)} ${run}`;
    this.#processWidth = Math.max(this.#processWidth, Math.min(MOST_WIDTH, widthOf(name)));
    const detail = detailOf(transition);
    const before = time.slice(11, 19) + GAP + paintOf(paint, state)(state.padEnd(STATE_WIDTH)) + GAP;
    const room = width - '00:00:00'.length - GAP.length - STATE_WIDTH - GAP.length;
    const ends = [name, detail].filter((cell) => cell !== '').map((cell) => GAP.length + widthOf(cell));
    const forId = Math.max(LEAST_ID, room - ends.reduce((sum, each) => sum + each, 0));
    const id = shorten(whole, Math.min(forId, MOST_WIDTH), 'middle', mark);
    if (name === '') return `${newDay}${before}${shorten(id, room, 'middle', mark)}\n`;
    // Columns give way where a line would become too long.
    const spare = room - widthOf(id) - ends.reduce((sum, each) => sum + each, 0);
    const afterId = Math.min(this.#idWidth - widthOf(id), Math.max(0, spare));
    const afterName =
      detail === '' ? 0 : Math.min(this.#processWidth - widthOf(name), Math.max(0, spare - afterId));
    const rest = id + ' '.repeat(Math.max(0, afterId)) + GAP + name + ' '.repeat(Math.max(0, afterName));
    return `${newDay}${before}${shorten(detail === '' ? rest : rest + GAP + detail, room, 'end', mark)}\n`;
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
