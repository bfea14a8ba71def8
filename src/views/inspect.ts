import { isTerminalTaskState } from '../checkpoint/records.js';
import { numberedRuns } from '../checkpoint/replay.js';
import type { Inspection } from '../logs/inspection.js';
import type { LogFile } from '../logs/list-logs.js';
import type { CriticalPath } from '../task/critical-path.js';
import { kindsOf } from '../task/graph.js';
import type { TaskConfig } from '../task/task-file.js';
import type { LocatedPath, ProcessView, TaskView } from '../task/view.js';
import { duration, moment, timestamp } from '../text/age.js';
import { visible } from '../text/escape.js';
import { size } from '../text/size.js';
import type { TaskUse } from '../top/task-use.js';
import { criticalPathRows } from './parts/critical-path.js';
import { firstLines, linesText, more, moreLine, spareLines } from './parts/fold.js';
import { orderingTree } from './parts/ordering-tree.js';
import { paintOf } from './parts/paint.js';
import { mostUrgent, processTable, restText } from './parts/processes.js';
import { proseRows } from './parts/prose.js';
import { type Style, styleBy } from './parts/style.js';
import { table } from './parts/table.js';
import { usageTable } from './parts/usage-table.js';
import { leftOutLine, runTable, statusTable } from './read.js';

export interface InspectOptions {
  /** A terminal shows long lists in full, too. */
  verbose?: boolean;
  /** There are several tasks of this id: the head says which root this one is in. */
  oneOfSeveral?: boolean;
  /** What the task uses, if it is active. */
  use?: TaskUse;
}

/**
 * How much a terminal shows of what may be long, in lines, so that the answer is on the first 24. On a higher one, WHY
 * has more.
 */
const MOST = {
  /** Of WHY: less of a task that runs, so that what runs now is in sight too. */
  why: { over: 17, running: 7 },
  /** Of the end of a log that WHY quotes. */
  quoted: { over: 7, running: 3 },
  processes: 12,
  runs: 20,
  runsOfOne: 10,
  statuses: 10,
  lines: 20,
};

/**
 * All that is known about one task, the answer to the usual question first: its state, why, and its processes. What
 * seldom matters is last: the header, the resources, the paths.
 */
export function inspectText(
  { view, logs, why, criticalPath }: Inspection,
  ours: Style,
  { verbose = false, oneOfSeveral = false, use }: InspectOptions = {},
): string {
  const { config } = view;
  const style = styleBy(ours, view.root.ahead_ms);
  const fold = style.tty && !verbose;
  const shown = fold ? mostUrgent(view.processes, MOST.processes) : view.processes;
  const isShown = namesIn(shown, view);
  const hidden = more(view.processes.length - shown.length, 'process', 'processes');
  const listed = (text: string, parts: string | undefined) =>
    fold && text !== '' ? firstLines(text.split('\n').slice(0, -1), MOST.lines, parts) : text;
  const sections: [string, string][] = [
    ['WHY', whyText(why, view, style, fold)],
    ['PROCESSES', processesText(view, shown, style) + pathText(criticalPath, view, style, fold)],
    ['USAGE', usageTable(use, style)],
    ['RUNS', earlierRuns(view, isShown, style, fold)],
    ['ORDERING', config === undefined ? '' : listed(ordering(view, config, style), undefined)],
    ['COMMANDS', config === undefined ? '' : listed(commandsOf(config, isShown, style), hidden)],
    ['STATUSES', statusesText(view, style, fold)],
    [
      'LOGS',
      listed(
        logsText(
          logs.filter(({ process }) => isShown(process)),
          view,
          style,
        ),
        hidden,
      ),
    ],
    ['DETAILS', fieldsText(detailsOf(view, style), style, '  ')],
  ];
  return [
    fieldsText(headOf(view, style, oneOfSeveral), style),
    ...sections
      .filter(([, text]) => text !== '')
      .map(([title, text]) => `\n${style.paint.bold(title)}\n${text}`),
  ].join('');
}

/** Why a task is in its state, and all that it quotes. */
export function whyPage({ view, why }: Inspection, ours: Style): string {
  const style = styleBy(ours, view.root.ahead_ms);
  return `${fieldsText(headOf(view, style, false), style)}\n${linesText(proseRows(why, style))}`;
}

type TextField = [name: string, value: string | undefined];

function fieldsText(fields: readonly TextField[], { paint }: Style, indent = ''): string {
  return fields
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${indent}${paint.dim(`${name}:`.padEnd(12))}${value}\n`)
    .join('');
}

/** Nothing more will happen by itself. */
function isOver({ state, verdict }: TaskView): boolean {
  return isTerminalTaskState(state) || verdict === 'runner-gone' || verdict === 'host-rebooted';
}

function headOf(view: TaskView, style: Style, oneOfSeveral: boolean): TextField[] {
  const { paint } = style;
  const state = String(view.state);
  return [
    ['Task', paint.bold(visible(view.task_id))],
    ['Root', oneOfSeveral ? visible(view.root.path) : undefined],
    ['State', `${paintOf(paint, state)(state)}${since(view, style)}`],
    ['Verdict', paintOf(paint, view.verdict)(view.verdict)],
    ['Runner', isTerminalTaskState(view.state) ? undefined : runnerText(view)],
    ['Silent for', silence(view, style)],
  ];
}

function detailsOf(view: TaskView, style: Style): TextField[] {
  const ports = Object.entries(view.ports ?? {}).map(([name, port]) => `${name}=${port}`);
  const { mesos, config } = view;
  return [
    ['Name', view.name === undefined || view.name === view.task_id ? undefined : visible(view.name)],
    ['Phase', view.phase],
    ['Runner', isTerminalTaskState(view.state) ? runnerText(view) : undefined],
    ['Launched', view.launch_time_ms === undefined ? undefined : moments(view.launch_time_ms, style)],
    [
      'User',
      view.header === null && view.owner === undefined
        ? undefined
        : visible(`${view.user ?? '-'} (uid ${view.uid ?? '-'}), files owned by ${view.owner ?? '-'}`),
    ],
    ['Host', view.hostname && visible(view.hostname)],
    ['Ports', ports.length > 0 ? visible(ports.join(' ')) : undefined],
    ['Resources', config && resourcesText(config)],
    ['Limits', config && limitsText(config)],
    ['Asked', view.root.agent && visible(`${view.root.agent.url} (${view.root.agent.hostname || '-'})`)],
    ['Agent', mesos && visible(mesos.agent_id)],
    ['Framework', mesos && visible(mesos.framework_id)],
    ['Executor', mesos && visible(mesos.executor_id)],
    ['Container', mesos && visible(mesos.container_id)],
    ['Root', visible(view.root.path)],
    ['Sandbox', placeText(view.sandbox)],
    ['recorded', recordedText(view.sandbox)],
    ['Logs in', placeText(view.log_dir)],
    ['recorded', recordedText(view.log_dir)],
  ];
}

function runnerText({ runner }: TaskView): string | undefined {
  return runner && `pid ${runner.pid ?? '-'}, uid ${runner.uid ?? '-'}, ${aliveText(runner.alive)}`;
}

function whyText(why: readonly string[], view: TaskView, style: Style, fold: boolean): string {
  const kind = isOver(view) ? 'over' : 'running';
  const spare = spareLines(style);
  const rows = proseRows(why, style, fold ? MOST.quoted[kind] + spare : undefined);
  return fold ? firstLines(rows, MOST.why[kind] + spare) : linesText(rows);
}

/** Whether a process is one of these, which are the first to show. */
function namesIn(shown: readonly ProcessView[], { processes }: TaskView): (process: string) => boolean {
  if (shown.length === processes.length) return () => true;
  const names = new Set(shown.map(({ process }) => process));
  return (process) => names.has(process);
}

function processesText(view: TaskView, shown: readonly ProcessView[], style: Style): string {
  const text = processTable({ ...view, processes: [...shown] }, style, '  ', 'wrapped');
  if (shown.length === view.processes.length) return text;
  return `${text}  ${restText(view.processes, shown, isOver(view))}: --verbose shows them\n`;
}

/** Of a task with one process there is nothing to say: its table has the time. */
function pathText(path: CriticalPath | undefined, view: TaskView, style: Style, fold: boolean): string {
  if (path === undefined || view.processes.length < 2) return '';
  return linesText(criticalPathRows(path, style, { soFar: !isOver(view), fold }));
}

function statusesText({ statuses, statuses_left_out }: TaskView, style: Style, fold: boolean): string {
  const shown = fold ? statuses.slice(-MOST.statuses) : statuses;
  const left = statuses.length - shown.length + (statuses_left_out?.count ?? 0);
  if (fold && left > 0) {
    const earlier = `${left} earlier ${left === 1 ? 'status' : 'statuses'}`;
    return statusTable(shown, style) + moreLine(earlier);
  }
  return statusTable(shown, style) + leftOutLine(statuses_left_out, 'statuses');
}

function since({ state_timestamp_ms }: TaskView, style: Style): string {
  return state_timestamp_ms === undefined ? '' : ` since ${moments(state_timestamp_ms, style)}`;
}

/** On a terminal, both the time and how long ago it was. */
function moments(milliseconds: number | bigint, style: Style): string {
  const text = timestamp(milliseconds);
  return style.tty ? `${text} (${moment(milliseconds, style)} ago)` : text;
}

function aliveText(alive: boolean | null): string {
  if (alive === null) return 'cannot be seen from here';
  return alive ? 'alive' : 'gone';
}

export function resourcesText({ resources }: TaskConfig): string | undefined {
  const { cpu, ram, disk, gpu } = resources;
  const parts = [
    cpu === undefined ? undefined : `cpu ${cpu}`,
    ram === undefined ? undefined : `ram ${size(ram)}`,
    disk === undefined ? undefined : `disk ${size(disk)}`,
    gpu === undefined || gpu === 0 ? undefined : `gpu ${gpu}`,
  ].filter((part) => part !== undefined);
  return parts.length === 0 ? undefined : parts.join(', ');
}

export function limitsText({ max_failures, max_concurrency, finalization_wait }: TaskConfig): string {
  const concurrency = max_concurrency === undefined || max_concurrency === 0 ? 'unlimited' : max_concurrency;
  const wait = finalization_wait === undefined ? '-' : `${finalization_wait}s`;
  return `max_failures ${max_failures ?? '-'}, max_concurrency ${concurrency}, finalization_wait ${wait}`;
}

function placeText(place: LocatedPath | undefined): string | undefined {
  return place && `${visible(place.path)}${place.found ? '' : ' (missing)'}`;
}

/** The recorded path, if it is a different one. */
function recordedText(place: LocatedPath | undefined): string | undefined {
  return place === undefined || place.path === place.recorded ? undefined : visible(place.recorded);
}

/** A live runner touches its stream every few seconds; a finished one does not need to. */
function silence({ state, silent_since_ms }: TaskView, style: Style): string | undefined {
  if (silent_since_ms === undefined || isTerminalTaskState(state)) return undefined;
  return duration(style.now - silent_since_ms);
}

/** Every run of the processes that ran more than once: the last run of each is in the table above. */
function earlierRuns(
  view: TaskView,
  isShown: (process: string) => boolean,
  style: Style,
  fold: boolean,
): string {
  const several = [...view.history.values()].filter(
    ({ process, runs }) => runs.length > 1 && isShown(process),
  );
  const most = Math.max(1, Math.min(MOST.runsOfOne, Math.floor(MOST.runs / several.length)));
  let left = 0;
  const runs = several.flatMap((history) => {
    const numbered = numberedRuns(history);
    const shown = fold ? numbered.slice(-most) : numbered;
    if (fold) left += shown[0]?.n ?? 0;
    return shown;
  });
  if (fold) {
    const earlier = left === 0 ? undefined : `${left} earlier ${left === 1 ? 'run' : 'runs'}`;
    return runTable(runs, style) + moreLine(earlier);
  }
  const gaps = several.map(({ left_out, process }) => leftOutLine(left_out, `runs of ${process}`));
  return runTable(runs, style) + gaps.join('');
}

function commandsOf(config: TaskConfig, isShown: (process: string) => boolean, style: Style): string {
  const processes = config.processes.filter(({ name }) => isShown(name));
  return commandsText({ ...config, processes }, style);
}

function ordering(view: TaskView, config: TaskConfig, style: Style): string {
  const states = new Map(view.processes.map(({ process, state }) => [process, String(state)]));
  return orderingText(config, style, (process) => states.get(process) ?? 'WAITING');
}

/**
 * A tree, top down, indented up to a limit; what a process waits for besides its parent follows it. Empty for a task
 * with one process and no constraints. `stateOf` gives the state to show, if there is one.
 */
export function orderingText(
  config: TaskConfig,
  style: Style,
  stateOf: (process: string) => string | undefined,
): string {
  if (config.processes.length < 2 && config.orders.length === 0) return '';
  const nodes = config.processes.map((process) => ({
    process: process.name,
    state: stateOf(process.name),
    kinds: kindsOf(process),
  }));
  return orderingTree(nodes, config.orders, style, '  ');
}

/**
 * The command lines; one with several lines is shown on several lines. On a terminal they are wrapped beside the
 * names.
 */
export function commandsText(config: TaskConfig, style: Style): string {
  if (style.width !== undefined) {
    const rows = config.processes.flatMap(({ name, cmdline = '' }) =>
      // Trailing spaces have no meaning here.
      cmdline
        .split('\n')
        .map((line) => line.trimEnd())
        .map((line, i) => [i === 0 ? name : null, i > 0 && line === '' ? null : line]),
    );
    const columns = [
      { title: 'PROCESS', flexible: 'wrap' as const },
      { title: 'COMMAND', flexible: 'wrap' as const },
    ];
    const options = { width: style.width - 2, unicode: style.unicode, whole: true, titles: false as const };
    return table(columns, rows, options).replace(/^(?=.)/gm, '  ');
  }
  return config.processes
    .map(({ name, cmdline = '' }) => {
      const lines = cmdline.split('\n').map(visible);
      if (lines.length === 1) return `  ${visible(name)}: ${lines[0] || '-'}\n`;
      return `  ${visible(name)}:\n${lines.map((line) => `    ${line}\n`).join('')}`;
    })
    .join('');
}

/** Paths are relative to the log directory, which the details name. */
function logsText(logs: readonly LogFile[], { log_dir }: TaskView, style: Style): string {
  if (logs.length === 0) return '';
  const columns = [
    { title: 'PROCESS', flexible: 'wrap' as const },
    { title: 'RUN', align: 'right' as const },
    { title: 'STREAM' },
    { title: 'SIZE', align: 'right' as const },
    { title: 'FILE', flexible: 'wrap' as const },
  ];
  const logDir = log_dir?.path ?? '';
  const rows = logs.map(({ process, run, stream, bytes, path }) => [
    process,
    String(run),
    stream,
    size(bytes),
    path.startsWith(`${logDir}/`) ? path.slice(logDir.length + 1) : path,
  ]);
  const width = style.width === undefined ? undefined : style.width - 2;
  const options = { width, whole: true, unicode: style.unicode, titles: style.paint.dim };
  return table(columns, rows, options).replace(/^(?=.)/gm, '  ');
}
