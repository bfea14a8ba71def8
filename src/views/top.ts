import type { TaskView } from '../task/view.js';
import { duration, moment } from '../text/age.js';
import { size } from '../text/size.js';
import { wrap } from '../text/width.js';
import type { ProcessSample, Sample, TaskSample, Usage } from '../top/model.js';
import { paintOf } from './parts/paint.js';
import { shortIds } from './parts/short-ids.js';
import type { Style } from './parts/style.js';
import { type Cell, type Column, type TableLines, tableLines } from './parts/table.js';
import { TOP_COLUMNS, type TopColumn } from './parts/top-columns.js';
import { cores, diskSize, percent, share } from './parts/use.js';

/** A sample, and the views of its tasks in its order. */
export interface Sampled {
  readonly sample: Sample;
  readonly views: readonly TaskView[];
}

export interface TopOrder {
  readonly by: TopColumn;
  readonly reverse: boolean;
}

/** A row of the table: a task, or with `process` one of its processes. */
export interface TopRow {
  readonly sample: TaskSample;
  readonly view: TaskView;
  readonly process?: ProcessSample;
  /** Between the readings, in milliseconds. */
  readonly intervalMs: number;
}

/** The rows of a sample in an order, as the table shows them: one for each task, or for each process. */
export function topRows({ sample, views }: Sampled, ofProcesses: boolean, order: TopOrder): TopRow[] {
  const rows = sample.tasks.flatMap((task, i): TopRow[] => {
    const row = { sample: task, view: views[i] as TaskView, intervalMs: sample.intervalMs };
    return ofProcesses ? task.processes.map((process) => ({ ...row, process })) : [row];
  });
  const keys = new Map(rows.map((row) => [row, sortKey(row, order.by)]));
  const direction = order.reverse ? -1 : 1;
  return rows.sort((a, b) => direction * compare(keys.get(a), keys.get(b)) || compare(nameOf(a), nameOf(b)));
}

/** Names ascend; numbers descend, and those that are not known are last. */
function compare(a: string | number | undefined, b: string | number | undefined): number {
  if (typeof a === 'string' && typeof b === 'string') return a < b ? -1 : a > b ? 1 : 0;
  return Number(b ?? -1) - Number(a ?? -1);
}

function nameOf({ sample, process }: TopRow): string {
  return `${sample.task.task_id}\n${process?.process ?? ''}`;
}

function sortKey(row: TopRow, by: TopColumn): string | number | undefined {
  const { sample, view, process } = row;
  const used = process ?? sample;
  const values: Readonly<Record<TopColumn, () => string | number | undefined>> = {
    task: () => sample.task.task_id,
    process: () => process?.process ?? sample.task.task_id,
    run: () => process?.run,
    state: () => String(view.state),
    cpu: () => used.cpu,
    'cpu%': () => share(used.cpu, sample.task.asked.cpu),
    rss: () => used.rssBytes,
    'ram%': () => share(used.rssBytes, sample.task.asked.ram),
    pss: () => used.pssBytes,
    threads: () => used.threads,
    pids: () => used.pids,
    fds: () => used.fds,
    read: () => used.readBytes,
    written: () => used.writtenBytes,
    disk: () => sample.disk?.bytes,
    'disk%': () => share(sample.disk?.bytes, sample.task.asked.disk),
    throttled: () => sample.throttledMs,
    oom: () => sample.oomKills,
    age: () => ageKey(view),
    agent: () => view.root.agent?.hostname,
  };
  return values[by]();
}

/** The youngest first. */
function ageKey({ launch_time_ms }: TaskView): number | undefined {
  return launch_time_ms === undefined ? undefined : Number(launch_time_ms);
}

export interface TopTableOptions {
  readonly processes: boolean;
  /** The proportional set sizes were read. */
  readonly pss: boolean;
}

/** Rows as lines. On a terminal that is too narrow, columns are left out. */
export function topTable(
  rows: readonly TopRow[],
  { processes, pss }: TopTableOptions,
  style: Style,
): TableLines {
  const areRemote = rows.some(({ view }) => view.root.agent !== undefined);
  const names = TOP_COLUMNS.filter(
    (name) => isShown(name, processes, pss) && (name !== 'agent' || areRemote),
  );
  const isUsed = (name: TopColumn) => rows.some((row) => (sortKey(row, name) ?? 0) !== 0);
  const recorded = rows.map(({ view: { user, name } }) => ({ user, name }));
  const columns = names.map((name): Column => {
    const column = { ...COLUMNS[name] };
    // What happens seldom takes no room as long as it does not happen.
    if (RARE.has(name) && isUsed(name)) column.dropped = LATE;
    return name === 'task' ? { ...column, short: (cells) => shortIds(cells, recorded) } : column;
  });
  const cells = rows.map((row) => names.map((name) => COLUMNS[name].cell(row, style)));
  return tableLines(columns, cells, {
    width: style.width,
    unicode: style.unicode,
    titles: style.paint.bold,
  });
}

const OF_PROCESSES: ReadonlySet<TopColumn> = new Set(['process', 'run']);
const OF_TASKS: ReadonlySet<TopColumn> = new Set(['state', 'disk', 'disk%', 'throttled', 'oom', 'age']);

function isShown(name: TopColumn, processes: boolean, pss: boolean): boolean {
  if (name === 'pss') return pss;
  return processes ? !OF_TASKS.has(name) : !OF_PROCESSES.has(name);
}

const RARE: ReadonlySet<TopColumn> = new Set(['throttled', 'oom']);
/** Dropped after all others. */
const LATE = 20;

type TopTableColumn = Column & { cell: (row: TopRow, style: Style) => Cell };

const usedIn = ({ sample, process }: TopRow): Usage => process ?? sample;
const count = (number: number | undefined) => (number === undefined ? undefined : String(number));

const COLUMNS: Readonly<Record<TopColumn, TopTableColumn>> = {
  task: { title: 'TASK', flexible: 'middle', cell: ({ sample }) => sample.task.task_id },
  process: { title: 'PROCESS', flexible: 'middle', cell: ({ process }) => process?.process },
  run: { title: 'RUN', align: 'right', dropped: 1, cell: ({ process }) => count(process?.run) },
  state: {
    title: 'STATE',
    dropped: 6,
    cell: ({ view }, style) => ({
      text: String(view.state),
      paint: paintOf(style.paint, String(view.state)),
    }),
  },
  cpu: { title: 'CPU', align: 'right', cell: (row) => cores(usedIn(row).cpu) },
  'cpu%': {
    title: 'CPU%',
    align: 'right',
    cell: (row, style) => percent(share(usedIn(row).cpu, row.sample.task.asked.cpu), style),
  },
  rss: { title: 'RSS', align: 'right', cell: (row) => size(usedIn(row).rssBytes) },
  'ram%': {
    title: 'RAM%',
    align: 'right',
    cell: (row, style) => percent(share(usedIn(row).rssBytes, row.sample.task.asked.ram), style),
  },
  pss: { title: 'PSS', align: 'right', cell: (row) => size(usedIn(row).pssBytes) },
  threads: { title: 'THR', align: 'right', dropped: 5, cell: (row) => count(usedIn(row).threads) },
  pids: { title: 'PIDS', align: 'right', dropped: 8, cell: (row) => count(usedIn(row).pids) },
  fds: { title: 'FDS', align: 'right', dropped: 2, cell: (row) => count(usedIn(row).fds) },
  read: { title: 'READ/s', align: 'right', dropped: 3, cell: (row) => rate(usedIn(row).readBytes, row) },
  written: {
    title: 'WRITE/s',
    align: 'right',
    dropped: 4,
    cell: (row) => rate(usedIn(row).writtenBytes, row),
  },
  disk: { title: 'DISK', align: 'right', dropped: 9, cell: ({ sample }) => diskSize(sample.disk) },
  'disk%': {
    title: 'DISK%',
    align: 'right',
    dropped: 10,
    cell: ({ sample }, style) => percent(share(sample.disk?.bytes, sample.task.asked.disk), style),
  },
  throttled: {
    title: 'THROTTLED',
    align: 'right',
    dropped: 0,
    cell: ({ sample: { throttledMs }, intervalMs }) =>
      throttledMs === undefined || intervalMs === 0 ? undefined : short(throttledMs),
  },
  oom: {
    title: 'OOM',
    align: 'right',
    dropped: 0,
    cell: ({ sample: { oomKills = undefined } }, style) =>
      oomKills ? { text: String(oomKills), paint: style.paint.red } : count(oomKills),
  },
  age: {
    title: 'AGE',
    align: 'right',
    dropped: 7,
    cell: ({ view }, style) => moment(view.launch_time_ms, style),
  },
  agent: {
    title: 'AGENT',
    flexible: 'middle',
    dropped: 1,
    cell: ({ view: { root } }) => root.agent?.hostname || root.agent?.url,
  },
};

function short(milliseconds: number): string {
  return milliseconds < 1000 ? `${Math.round(milliseconds)}ms` : duration(milliseconds);
}

function rate(bytes: number | undefined, { intervalMs }: TopRow): string | undefined {
  return bytes === undefined || intervalMs === 0 ? undefined : size((bytes * 1000) / intervalMs);
}

/** What all tasks use together, of what they asked for. */
export function topSummary({ tasks }: Sample, { width = 80 }: Style): string[] {
  const sum = (of: (task: TaskSample) => number | undefined) => {
    const known = tasks.map(of).filter((number) => number !== undefined);
    return known.length === 0 ? undefined : known.reduce((all, number) => all + number, 0);
  };
  const [cpuAsked, ramAsked] = [sum(({ task }) => task.asked.cpu), sum(({ task }) => task.asked.ram)];
  const cpu = `CPU ${cores(sum(({ cpu }) => cpu)) ?? '-'}${of(cpuAsked ? String(rounded(cpuAsked)) : undefined)}`;
  const ram = `RSS ${size(sum(({ rssBytes }) => rssBytes))}${of(ramAsked ? size(ramAsked) : undefined)}`;
  const many = `${counted(tasks.length, 'active task')}, ${counted(sum(({ pids }) => pids) ?? 0, 'process', 'es')}`;
  return wrap(`${many}: ${cpu}, ${ram}`, width);
}

/** Of what was asked for. */
function of(asked: string | undefined): string {
  return asked === undefined ? '' : ` of ${asked}`;
}

function counted(number: number, what: string, plural = 's'): string {
  return `${number} ${what}${number === 1 ? '' : plural}`;
}

function rounded(number: number): number {
  return Math.round(number * 100) / 100;
}

/** The whole answer of one sample: the summary on a terminal, and the table. */
export function topText(
  rows: readonly TopRow[],
  sampled: Sampled,
  options: TopTableOptions,
  style: Style,
): string {
  if (sampled.sample.tasks.length === 0) return '';
  const summary = style.tty ? [...topSummary(sampled.sample, style), ''] : [];
  const { titles, body } = topTable(rows, options, style);
  return [...summary, titles, ...body].map((line) => `${line}\n`).join('');
}
