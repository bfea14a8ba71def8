import type { Gap } from '../checkpoint/ends.js';
import type { CheckpointRecord, ProcessStatus, RunnerHeader, TaskStatus } from '../checkpoint/records.js';
import { type CheckpointState, numberedRuns } from '../checkpoint/replay.js';
import { elapsed, fromSeconds, timestamp } from '../text/age.js';
import { visible } from '../text/escape.js';
import { jsonText } from '../text/json.js';
import { paintOf } from './parts/paint.js';
import type { Style } from './parts/style.js';
import { type Cell, type Column, table } from './parts/table.js';

/** A whole checkpoint for a person: the header, every task status, every run of every process. */
export function readText(state: CheckpointState, records: number, bytes: number, style: Style): string {
  const histories = [...state.processes.values()];
  const parts = [
    section('HEADER', state.header === null ? '  <none>\n' : headerLines(state.header), style),
    section(
      'STATUSES',
      statusTable(state.statuses, style) + leftOutLine(state.statuses_left_out, 'statuses'),
      style,
    ),
    section(
      'RUNS',
      runTable(histories.flatMap(numberedRuns), style) +
        histories.map(({ left_out, process }) => leftOutLine(left_out, `runs of ${process}`)).join(''),
      style,
    ),
    `${records} records, ${bytes} bytes\n`,
  ];
  return parts.join('\n');
}

function section(title: string, text: string, style: Style): string {
  return `${style.paint.bold(title)}\n${text === '' ? '  <none>\n' : text}`;
}

/** The line below a table that shows only the first and last of very many. */
export function leftOutLine(gap: Gap | undefined, what: string): string {
  if (gap === undefined) return '';
  return `  ${gap.count} ${visible(what)} after the first ${gap.at} are left out\n`;
}

export function headerLines(header: RunnerHeader): string {
  const ports = Object.entries(header.ports ?? {}).map(([name, port]) => `${name}=${port}`);
  const fields: [string, string | undefined][] = [
    ['task_id', header.task_id],
    ['launch_time', header.launch_time_ms === undefined ? undefined : timestamp(header.launch_time_ms)],
    ['hostname', header.hostname],
    ['user', header.user],
    ['uid', header.uid === undefined ? undefined : String(header.uid)],
    ['ports', ports.length > 0 ? ports.join(' ') : undefined],
    ['sandbox', header.sandbox],
    ['log_dir', header.log_dir],
  ];
  return fields.map(([name, value]) => `  ${name.padEnd(11)}  ${visible(value ?? '-')}\n`).join('');
}

/** Every recorded state of the task, in the order of the stream, with who recorded it. */
export function statusTable(statuses: readonly TaskStatus[], style: Style): string {
  if (statuses.length === 0) return '';
  const rows = statuses.map(({ state, timestamp_ms, runner_pid, runner_uid }): Cell[] => [
    timestamp(timestamp_ms),
    { text: String(state ?? '-'), paint: paintOf(style.paint, String(state)) },
    number(runner_pid),
    number(runner_uid),
  ]);
  const columns = [
    { title: 'TIME' },
    { title: 'STATE' },
    { title: 'RUNNER_PID', align: 'right' as const },
    { title: 'RUNNER_UID', align: 'right' as const },
  ];
  return listed(columns, rows, style);
}

/** Runs, one per line: `n` is the number in the name of the run's log directory. */
export function runTable(runs: readonly { run: ProcessStatus; n: number }[], style: Style): string {
  if (runs.length === 0) return '';
  const rows = runs.map(({ run, n }): Cell[] => [
    run.process,
    String(n),
    { text: String(run.state ?? '-'), paint: paintOf(style.paint, String(run.state)) },
    number(run.pid),
    number(run.return_code),
    timestamp(fromSeconds(run.start_time ?? run.fork_time)),
    run.start_time !== undefined && run.stop_time !== undefined
      ? elapsed((run.stop_time - run.start_time) * 1000)
      : undefined,
  ]);
  const columns = [
    { title: 'PROCESS', flexible: 'wrap' as const },
    { title: 'RUN', align: 'right' as const },
    { title: 'STATE' },
    { title: 'PID', align: 'right' as const },
    { title: 'EXIT', align: 'right' as const },
    { title: 'STARTED' },
    { title: 'TOOK', align: 'right' as const },
  ];
  return listed(columns, rows, style);
}

function number(value: number | undefined): string | undefined {
  return value === undefined ? undefined : String(value);
}

function listed(columns: readonly Column[], rows: readonly Cell[][], style: Style): string {
  const width = style.width === undefined ? undefined : style.width - 2;
  const options = { width, whole: true, unicode: style.unicode, titles: style.paint.dim };
  return table(columns, rows, options).replace(/^(?=.)/gm, '  ');
}

/** One record as a line: its position, its type, and its fields as `name=value` with the names of the IDL. */
export function recordLine(record: CheckpointRecord, offset: number, length: number): string {
  const fields = Object.entries(record.value).map(([name, value]) => `${name}=${visible(fieldText(value))}`);
  return `${[offset, length, record.type, ...fields].join(' ')}\n`;
}

function fieldText(value: unknown): string {
  if (typeof value === 'object' && value !== null) {
    return `{${Object.entries(value)
      .map(([name, port]) => `${quoted(name)}:${port}`)
      .join(',')}}`;
  }
  return typeof value === 'string' ? quoted(value) : String(value);
}

/** Quoted unless it is one word. */
function quoted(text: string): string {
  return /^[\w.:/@%+-]+$/.test(text) ? text : jsonText(text);
}
