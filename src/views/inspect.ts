import { isTerminalTaskState } from '../checkpoint/records.js';
import { numberedRuns } from '../checkpoint/replay.js';
import type { Inspection } from '../logs/inspection.js';
import type { LogFile } from '../logs/list-logs.js';
import { drawOrdering } from '../task/ordering.js';
import type { TaskConfig } from '../task/task-file.js';
import type { LocatedPath, TaskView } from '../task/view.js';
import { duration, moment, timestamp } from '../text/age.js';
import { visible } from '../text/escape.js';
import { size } from '../text/size.js';
import { paintOf } from './parts/paint.js';
import { processTable } from './parts/processes.js';
import type { Style } from './parts/style.js';
import { table } from './parts/table.js';
import { branchesOf } from './parts/tree.js';
import { leftOutLine, runTable, statusTable } from './read.js';

/** The most runs of a process that a terminal shows. */
const RUNS_ON_TERMINAL = 10;

/** All that is known about one task, with the answer to the usual question first. */
export function inspectText({ view, logs, why }: Inspection, style: Style): string {
  const { config } = view;
  const sections: [string, string][] = [
    ['WHY', why.map((line) => `  ${visible(line)}\n`).join('')],
    ['PROCESSES', processTable(view, style, '  ')],
    ['RUNS', earlierRuns(view, style)],
    ['ORDERING', config === undefined ? '' : ordering(view, config, style)],
    ['COMMANDS', config === undefined ? '' : commandsText(config, style)],
    ['STATUSES', statusTable(view.statuses, style) + leftOutLine(view.statuses_left_out, 'statuses')],
    ['LOGS', logsText(logs, view.log_dir?.path ?? '', style)],
  ];
  const shown = sections.filter(([, text]) => text !== '');
  return [head(view, style), ...shown.map(([title, text]) => `\n${style.paint.bold(title)}\n${text}`)].join(
    '',
  );
}

function head(view: TaskView, style: Style): string {
  const { paint } = style;
  const state = String(view.state);
  const ports = Object.entries(view.ports ?? {}).map(([name, port]) => `${name}=${port}`);
  const { mesos, runner, config } = view;
  const fields: [string, string | undefined][] = [
    ['Task', paint.bold(visible(view.task_id))],
    ['Name', view.name === undefined || view.name === view.task_id ? undefined : visible(view.name)],
    ['State', `${paintOf(paint, state)(state)}${since(view, style)}`],
    ['Verdict', paintOf(paint, view.verdict)(view.verdict)],
    ['Phase', view.phase],
    ['Runner', runner && `pid ${runner.pid ?? '-'}, uid ${runner.uid ?? '-'}, ${aliveText(runner.alive)}`],
    ['Silent for', silence(view, style)],
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
    ['Root', visible(view.root.path)],
    ['Sandbox', placeText(view.sandbox)],
    ['recorded', recordedText(view.sandbox)],
    ['Logs in', placeText(view.log_dir)],
    ['recorded', recordedText(view.log_dir)],
    ['Agent', mesos && visible(mesos.agent_id)],
    ['Framework', mesos && visible(mesos.framework_id)],
    ['Executor', mesos && visible(mesos.executor_id)],
    ['Container', mesos && visible(mesos.container_id)],
  ];
  return fields
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${paint.dim(`${name}:`.padEnd(12))}${value}\n`)
    .join('');
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
function earlierRuns(view: TaskView, style: Style): string {
  const several = [...view.history.values()].filter(({ runs }) => runs.length > 1);
  let left = 0;
  const runs = several.flatMap((history) => {
    const numbered = numberedRuns(history);
    const shown = style.tty ? numbered.slice(-RUNS_ON_TERMINAL) : numbered;
    if (style.tty) left += shown[0]?.n ?? 0;
    return shown;
  });
  if (style.tty) {
    const more = left > 0 ? `  and ${left} earlier runs: pipe the output or use --json to see them\n` : '';
    return runTable(runs, style) + more;
  }
  const gaps = several.map(({ left_out, process }) => leftOutLine(left_out, `runs of ${process}`));
  return runTable(runs, style) + gaps.join('');
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
  const kinds = new Map(config.processes.map((process) => [process.name, process]));
  const lines = drawOrdering(config);
  const branches = branchesOf(
    lines.map(({ depth }) => depth),
    style,
  );
  return lines
    .map(({ process, also }, i) => {
      const state = stateOf(process);
      const { final, daemon, ephemeral } = kinds.get(process) ?? {};
      const marks = [final && 'final', daemon && 'daemon', ephemeral && 'ephemeral'].filter(Boolean);
      const words = [
        `${branches[i]}${visible(process)}`,
        ...(state === undefined ? [] : [paintOf(style.paint, state)(state)]),
        ...(marks.length > 0 ? [`(${marks.join(', ')})`] : []),
        ...(also.length > 0 ? [`also after ${also.map(visible).join(', ')}`] : []),
      ];
      return `  ${words.join(' ')}\n`;
    })
    .join('');
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
      { title: 'PROCESS', flexible: 'end' as const },
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

/** Paths are relative to the log directory, which the head names. */
function logsText(logs: readonly LogFile[], logDir: string, style: Style): string {
  if (logs.length === 0) return '';
  const columns = [
    { title: 'PROCESS', flexible: 'end' as const },
    { title: 'RUN', align: 'right' as const },
    { title: 'STREAM' },
    { title: 'SIZE', align: 'right' as const },
    { title: 'FILE' },
  ];
  const rows = logs.map(({ process, run, stream, bytes, path }) => [
    process,
    String(run),
    stream,
    size(bytes),
    path.startsWith(`${logDir}/`) ? path.slice(logDir.length + 1) : path,
  ]);
  const width = style.width === undefined ? undefined : style.width - 2;
  const text = table(columns, rows, { width, unicode: style.unicode, titles: style.paint.dim });
  return text.replace(/^(?=.)/gm, '  ');
}
