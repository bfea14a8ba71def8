import type { ProcessView, TaskView } from '../../task/view.js';
import { duration, elapsed, fromSeconds, moment } from '../../text/age.js';
import { paintOf } from './paint.js';
import type { Style } from './style.js';
import { type Cell, type Column, table } from './table.js';

/** The groups of processes, in the order in which they get room, and the words for those that get none. */
const GROUPS = [
  { states: ['FAILED', 'LOST', 'KILLED'], word: 'failed or killed' },
  { states: ['RUNNING', 'FORKED'], word: 'running' },
  { states: ['WAITING'], word: 'waiting', atTheEnd: 'never started' },
  { states: ['SUCCESS'], word: 'done' },
];

/** As many processes as there is room for, in their order; a third of the room is kept for those that run. */
export function mostUrgent(processes: readonly ProcessView[], room: number): ProcessView[] {
  if (processes.length <= room) return [...processes];
  const [bad = [], live = [], ...others] = grouped(processes);
  const kept = Math.min(live.length, Math.floor(room / 3));
  const chosen = [
    ...bad.sort((a, b) => stopTime(a) - stopTime(b)).slice(0, room - kept),
    ...live,
    ...others.flat(),
  ].slice(0, room);
  const isChosen = new Set(chosen);
  return processes.filter((process) => isChosen.has(process));
}

/** What failed first is the most likely cause of what failed later. */
function stopTime({ stop_time }: ProcessView): number {
  return Number.isFinite(stop_time) ? (stop_time as number) : Number.MAX_VALUE;
}

/** By the groups above. */
function grouped(processes: Iterable<ProcessView>): ProcessView[][] {
  const groups: ProcessView[][] = GROUPS.map(() => []);
  for (const process of processes) (groups[urgency(process.state)] as ProcessView[]).push(process);
  return groups;
}

/** The place of a state among the groups above, the most urgent first; one without a name is in the last one. */
export function urgency(state: string | number | undefined): number {
  const at = GROUPS.findIndex(({ states }) => states.includes(String(state)));
  return at === -1 ? GROUPS.length - 1 : at;
}

/** `and 93 more processes: 3 running, 90 done`. */
export function restText(all: readonly ProcessView[], shown: readonly ProcessView[], isOver = false): string {
  const isShown = new Set(shown);
  const left = all.filter((process) => !isShown.has(process));
  const counts = grouped(left).flatMap((group, i) => {
    const { word, atTheEnd = word } = GROUPS[i] as (typeof GROUPS)[number];
    return group.length === 0 ? [] : [{ count: group.length, word: isOver ? atTheEnd : word }];
  });
  const [only] = counts;
  const many = `${left.length} more ${left.length === 1 ? 'process' : 'processes'}`;
  if (counts.length === 1 && only !== undefined) return `and ${many}, ${only.word}`;
  return `and ${many}: ${counts.map(({ count, word }) => `${count} ${word}`).join(', ')}`;
}

const COLUMNS: readonly Column[] = [
  { title: 'STATE' },
  { title: 'RUNS', align: 'right' },
  { title: 'FAILURES', align: 'right' },
  { title: 'PID', align: 'right' },
  { title: 'EXIT', align: 'right' },
  { title: 'TOOK', align: 'right' },
  { title: 'STARTED', align: 'right' },
];

/**
 * The processes of a task: the latest run, how it ended, failures out of those allowed. Each takes one line, and names
 * are cut on a narrow terminal; or names are wrapped.
 */
export function processTable(
  task: TaskView,
  style: Style,
  indent: string,
  names: 'cut' | 'wrapped' = 'cut',
): string {
  if (task.processes.length === 0) return '';
  const width = style.width === undefined ? undefined : style.width - indent.length;
  // A process that was running when the runner died may have ended at any time since. On a pipe all times are absolute.
  const runs = task.verdict === 'ok' || task.verdict === 'foreign-pids';
  const now = runs && style.tty ? style.now : undefined;
  const rows = task.processes.map((process) => row(process, now, style));
  const wrapped = names === 'wrapped';
  const columns: Column[] = [{ title: 'PROCESS', flexible: wrapped ? 'wrap' : 'end' }, ...COLUMNS];
  const options = { width, whole: wrapped, unicode: style.unicode, titles: style.paint.dim };
  const text = table(columns, rows, options);
  return indent === '' ? text : text.replace(/^/gm, indent).slice(0, -indent.length);
}

function row(process: ProcessView, now: number | undefined, style: Style): Cell[] {
  const state = String(process.state);
  const { max_failures, start_time, stop_time } = process;
  const allowed = max_failures === undefined || max_failures === 0 ? '' : `/${max_failures}`;
  return [
    process.process,
    { text: state, paint: paintOf(style.paint, state) },
    String(process.runs),
    `${process.failures}${allowed}`,
    process.pid === undefined ? undefined : String(process.pid),
    process.return_code === undefined ? undefined : String(process.return_code),
    took(state, start_time, stop_time, now),
    start_time === undefined ? undefined : moment(fromSeconds(start_time), style),
  ];
}

/** How long a run took, or has taken so far by `now`, if that is known. */
export function took(
  state: string,
  start: number | undefined,
  stop: number | undefined,
  now: number | undefined,
): string | undefined {
  if (start === undefined) return undefined;
  if (stop !== undefined) return elapsed((stop - start) * 1000);
  return state === 'RUNNING' && now !== undefined ? duration(now - start * 1000) : undefined;
}
