import type { DoctorDocument, FindingDocument } from '../contracts/doctor.js';
import { elapsed, timestamp } from '../text/age.js';
import { counted } from '../text/count.js';
import { visible } from '../text/escape.js';
import { widthOf, wrap } from '../text/width.js';
import { firstLines, linesText, more, moreLine, spareLines } from './parts/fold.js';
import { type Paint, paintOf } from './parts/paint.js';
import { proseRows } from './parts/prose.js';
import type { Style } from './parts/style.js';
import { type Column, table } from './parts/table.js';

export interface DoctorOptions {
  /** A terminal shows all evidence and the whole timeline, too. */
  verbose?: boolean;
}

/** How much a terminal shows, so that the answer is on the first 24 lines. */
const MOST = {
  /** Pieces of evidence of a finding about the host. */
  evidence: 3,
  /** Lines of evidence of a finding about one task, and of the log that they quote. */
  lines: 16,
  quoted: 7,
  /** Tasks of which somebody believes something else. */
  differences: 8,
  /** The last events of the timeline. */
  events: 18,
};

/**
 * The findings, then the tasks of which somebody believes something else than their streams say, and the timeline of the
 * task, if there is one. On a terminal, several findings are counted first, and a healthy host is said to be one; on a
 * pipe its text is empty.
 */
export function doctorText(
  document: DoctorDocument,
  style: Style,
  { verbose = false }: DoctorOptions = {},
): string {
  const { task, story, findings, reconcile, reconcile_source: source } = document;
  const fold = style.tty && !verbose;
  const parts: string[] = [];
  if (task !== undefined) parts.push(headText(task, findings.length === 0, style));
  if (style.tty && findings.length > 1) parts.push(`${countsText(findings, style)}\n`);
  for (const finding of adviceOnce(findings))
    parts.push(findingText(finding, task === undefined, style, fold));
  if (reconcile !== undefined && source !== undefined) {
    const differences = differencesText(reconcile, source, task !== undefined, style, fold);
    if (differences !== '') parts.push(differences);
  }
  if (story !== undefined && story.length > 0) parts.push(timelineText(story, style, fold));
  return parts.length === 0 && style.tty ? wellText(document) : parts.join('\n');
}

function wellText({ checked: { roots, tasks, agents }, problems }: DoctorDocument): string {
  // Then there is a notice of its own.
  if (roots + agents === 0) return '';
  const counts = [
    counted(tasks, 'task'),
    counted(roots, 'root'),
    ...(agents === 0 ? [] : [counted(agents, 'agent')]),
  ];
  const what = problems.length === 0 ? '' : ' in what could be read';
  return `Nothing wrong was found${what}: ${counts.join(', ')}.\n`;
}

/** Advice that several findings share is below the last of them. */
function adviceOnce(findings: readonly FindingDocument[]): FindingDocument[] {
  const last = new Map(
    findings.flatMap(({ advice }, i) => advice.map((step): [string, number] => [step, i])),
  );
  return findings.map((finding, i) => ({
    ...finding,
    advice: finding.advice.filter((step) => last.get(step) === i),
  }));
}

function headText(task: NonNullable<DoctorDocument['task']>, isWell: boolean, { paint }: Style): string {
  const state = String(task.state);
  const verdict = task.verdict === 'ok' ? [] : [paintOf(paint, task.verdict)(task.verdict)];
  const head = [paint.bold(visible(task.task_id)), paintOf(paint, state)(state), ...verdict];
  return `${head.join('  ')}\n${isWell ? 'Nothing wrong was found.\n' : ''}`;
}

type FindingSeverity = FindingDocument['severity'];

function severityPaint(severity: FindingSeverity, { paint }: Style): Paint {
  return severity === 'error' ? paint.red : severity === 'warning' ? paint.yellow : paint.dim;
}

/** `2 errors, 1 note`. */
function countsText(findings: readonly FindingDocument[], style: Style): string {
  const severities: readonly FindingSeverity[] = ['error', 'warning', 'note'];
  return severities
    .map((severity) => ({ severity, count: findings.filter((each) => each.severity === severity).length }))
    .filter(({ count }) => count > 0)
    .map(({ severity, count }) =>
      severityPaint(severity, style)(`${count} ${severity}${count === 1 ? '' : 's'}`),
    )
    .join(', ');
}

type Reconcile = NonNullable<DoctorDocument['reconcile']>;
type ReconcileSource = NonNullable<DoctorDocument['reconcile_source']>;

const BELIEVERS: Readonly<Record<ReconcileSource, string>> = {
  file: 'the scheduler',
  scheduler: 'the scheduler',
  master: 'the master',
  agents: 'the agents',
};

/** What a finding is about; that the scheduler has forgotten a task that ended is as it should be. */
const DIFFERS: ReadonlySet<Reconcile[number]['action']> = new Set(['kill', 'send-final-state', 'send-lost']);

/** Empty if nothing differs for longer than a moment, or nobody but the agents was asked. */
function differencesText(
  reconcile: Reconcile,
  source: ReconcileSource,
  ofOne: boolean,
  style: Style,
  fold: boolean,
): string {
  if (source === 'agents') return '';
  const rows = reconcile.filter(({ action, recent }) => DIFFERS.has(action) && !recent);
  if (rows.length === 0) return '';
  const who = BELIEVERS[source];
  const head = ofOne
    ? `the task is not as ${who} has it:`
    : `${rows.length} of ${reconcile.length} tasks not as ${who} has them:`;
  const shown = fold ? rows.slice(0, MOST.differences + spareLines(style)) : rows;
  const columns: Column[] = [
    { title: 'TASK', flexible: 'middle' },
    { title: 'STREAM' },
    { title: 'EXPECTED' },
    { title: 'ACTION' },
    { title: 'AGENT', dropped: 1 },
  ];
  const cells = shown.map(({ task_id, local, local_state, expected, action, agent }) => [
    task_id,
    local_state ?? local,
    expected,
    action,
    agent && (agent.hostname || agent.url),
  ]);
  const options = { width: style.width, titles: style.paint.bold, unicode: style.unicode };
  return `${head}\n${table(columns, cells, options)}${moreLine(more(rows.length - shown.length, 'task'))}`;
}

function timelineText(story: NonNullable<DoctorDocument['story']>, style: Style, fold: boolean): string {
  const start = story.find(({ time_ms }) => time_ms !== undefined)?.time_ms;
  const shown = fold ? story.slice(-MOST.events) : story;
  const left = story.length - shown.length;
  const rows = shown.map(({ time_ms, process, run, what }) => [
    timestamp(time_ms),
    time_ms === undefined || start === undefined ? undefined : `+${elapsed(time_ms - start)}`,
    process === undefined ? undefined : `${process}${run === undefined ? '' : `[${run}]`}`,
    what,
  ]);
  const columns: Column[] = [
    { title: 'TIME' },
    { title: 'AFTER', align: 'right' },
    { title: 'PROCESS', flexible: 'wrap' },
    { title: 'WHAT', flexible: 'wrap' },
  ];
  const options = { width: style.width, whole: true, titles: style.paint.bold, unicode: style.unicode };
  const earlier = left === 0 ? undefined : `${left} earlier ${left === 1 ? 'event' : 'events'}`;
  return table(columns, rows, options) + moreLine(earlier);
}

/** `named`: the finding is about the host, and evidence names its task, unless the line starts with a path that does. */
function findingText(
  { code, severity, what, evidence, advice }: FindingDocument,
  named: boolean,
  style: Style,
  fold: boolean,
): string {
  const head = headline(severity, what, code, style);
  const shown = fold && named ? evidence.slice(0, MOST.evidence) : evidence;
  const rows = evidenceRows(shown, named, style, fold);
  const left = evidence.length - shown.length;
  const text =
    fold && !named
      ? firstLines(rows, MOST.lines + spareLines(style))
      : linesText(rows) + moreLine(more(left, 'piece of evidence', 'pieces of evidence'));
  return `${head}${text}${linesText(advice.flatMap((step) => adviceRows(step, style)))}`;
}

/** A step of advice that ends with a command. */
const WITH_COMMAND = /^(.*:) ((?:thermos|rm|ps|chmod|chown|systemctl) .*)$/s;

/** Sentences are wrapped. A command is not, so that it can be copied: in a step that is too long, it has its own row. */
function adviceRows(step: string, { width, unicode }: Style): string[] {
  const arrow = unicode ? '→' : '>';
  const row = `  ${arrow} ${visible(step)}`;
  if (width === undefined || widthOf(row) <= width) return [row];
  const [, sentence = step, command] = WITH_COMMAND.exec(step) ?? [];
  const rows = wrap(visible(sentence), Math.max(8, width - 4));
  return [
    ...rows.map((text, i) => `  ${i === 0 ? arrow : ' '} ${text}`),
    ...(command === undefined ? [] : [`    ${visible(command)}`]),
  ];
}

/** `error: 3 tasks … (runner-dead)`, the code on the next row where it does not fit. */
function headline(severity: FindingSeverity, what: string, code: string, style: Style): string {
  const start = `${severity}: `;
  const rows = style.width === undefined ? [visible(what)] : wrap(visible(what), style.width - start.length);
  const label = `(${visible(code)})`;
  const last = rows.at(-1) as string;
  const fits = style.width === undefined || start.length + widthOf(last) + 1 + label.length <= style.width;
  const indented = rows.join(`\n${' '.repeat(start.length)}`);
  const between = fits ? ' ' : `\n${' '.repeat(start.length)}`;
  return `${severityPaint(severity, style)(severity)}: ${indented}${between}${style.paint.dim(label)}\n`;
}

/** On a pipe, a line is a piece of evidence, its place first; on a terminal, the place has a line of its own. */
function evidenceRows(
  evidence: readonly FindingDocument['evidence'][number][],
  named: boolean,
  style: Style,
  fold: boolean,
): string[] {
  const rows: string[] = [];
  let sentences: string[] = [];
  const write = () => {
    for (const row of proseRows(sentences, style, fold ? MOST.quoted + spareLines(style) : undefined))
      rows.push(row);
    sentences = [];
  };
  for (const { path: place, line, offset, text, task_id, agent } of evidence) {
    const path = place === undefined || agent === undefined ? place : `${place} on ${agent}`;
    const at = line !== undefined ? `:${line}` : offset !== undefined ? ` at byte ${offset}` : '';
    const isClear = !style.tty && task_id !== undefined && path?.includes(task_id);
    const whose = !named || task_id === undefined || isClear ? '' : `${task_id}: `;
    if (path === undefined) sentences.push(`${whose}${text}`);
    else if (!style.tty) sentences.push(`${whose}${path}${at}: ${text}`);
    else {
      sentences.push(`${whose}${text}`);
      write();
      rows.push(`    ${style.paint.dim(`${visible(path)}${at}`)}`);
    }
  }
  write();
  return rows;
}
