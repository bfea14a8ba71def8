import type { DoctorDocument, FindingDocument } from '../contracts/doctor.js';
import { elapsed, timestamp } from '../text/age.js';
import { visible } from '../text/escape.js';
import { paintOf } from './parts/paint.js';
import type { Style } from './parts/style.js';
import { table } from './parts/table.js';

/** How much evidence of one finding a terminal shows. */
const EVIDENCE_ON_TERMINAL = 10;

/** The timeline of a task, if there is one, and then the findings; empty if there is neither. */
export function doctorText({ task, story, findings }: DoctorDocument, style: Style): string {
  const { paint } = style;
  const parts: string[] = [];
  if (task !== undefined) {
    const state = String(task.state);
    const verdict = task.verdict === 'ok' ? [] : [paintOf(paint, task.verdict)(task.verdict)];
    const head = [paint.bold(visible(task.task_id)), paintOf(paint, state)(state), ...verdict];
    parts.push(`${head.join('  ')}\n`);
  }
  if (story !== undefined && story.length > 0) parts.push(timelineText(story, style));
  for (const finding of adviceOnce(findings)) parts.push(findingText(finding, task === undefined, style));
  return parts.join('\n');
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

function timelineText(story: NonNullable<DoctorDocument['story']>, style: Style): string {
  const start = story.find(({ time_ms }) => time_ms !== undefined)?.time_ms;
  const rows = story.map(({ time_ms, process, run, what }) => [
    timestamp(time_ms),
    time_ms === undefined || start === undefined ? undefined : `+${elapsed(time_ms - start)}`,
    process === undefined ? undefined : `${process}${run === undefined ? '' : `[${run}]`}`,
    what,
  ]);
  return table(
    [
      { title: 'TIME' },
      { title: 'AFTER', align: 'right' },
      { title: 'PROCESS', flexible: 'end' },
      { title: 'WHAT', flexible: 'wrap' },
    ],
    rows,
    { width: style.width, whole: true, titles: style.paint.bold, unicode: style.unicode },
  );
}

/** `named`: evidence names its task, unless its path does. */
function findingText(
  { code, severity, what, evidence, advice }: FindingDocument,
  named: boolean,
  style: Style,
): string {
  const { paint } = style;
  const colour = severity === 'error' ? paint.red : severity === 'warning' ? paint.yellow : paint.dim;
  const shown = style.tty ? evidence.slice(0, EVIDENCE_ON_TERMINAL) : evidence;
  const left = evidence.length - shown.length;
  const lines = [`${colour(severity)}: ${visible(what)} ${paint.dim(`(${visible(code)})`)}`];
  for (const { path, line, offset, text, task_id } of shown) {
    const at = line !== undefined ? `:${line}` : offset !== undefined ? ` at byte ${offset}` : '';
    const place = path === undefined ? '' : `${visible(path)}${at}: `;
    const whose = !named || task_id === undefined || path?.includes(task_id) ? '' : `${visible(task_id)}: `;
    lines.push(`  ${whose}${place}${visible(text)}`);
  }
  if (left > 0) lines.push(`  and ${left} more: pipe the output or use --json to see them`);
  for (const step of advice) lines.push(`  ${style.unicode ? '→' : '>'} ${visible(step)}`);
  return `${lines.join('\n')}\n`;
}
