import { duration, elapsed } from '../../text/age.js';
import { visible } from '../../text/escape.js';
import { fitting, type Room } from './fit.js';
import { type Html, html, made, markup } from './html.js';
import { count, short, time, timeText } from './parts.js';
import type { Process, ReportedRun } from './processes.js';
import { shapeOf, stateMark, toneOf } from './state.js';
import type { Bar, StatePeriod, Timeline, TimelineRow } from './timeline.js';

/** How many rows are open at once; the others are folded, those that went well first. */
const MOST_OPEN = { over: 40, shown: 30 };

/** With more bars, each has no title of its own: it takes four times as much of the page as the bar. */
const MOST_TITLED = 2000;

const LEGEND = ['SUCCESS', 'FAILED', 'KILLED', 'LOST', 'RUNNING'] as const;

/** The runs of all processes on one axis of time. */
export function timelineSection(timeline: Timeline, room: Room): Html {
  const { rows, from, to, ticks, marks, stages, state, undrawn } = timeline;
  const bars = rows.reduce((sum, row) => sum + row.bars.length, 0);
  const isTitled = bars <= MOST_TITLED;
  const open = rows.length > MOST_OPEN.over ? mostUrgent(rows, MOST_OPEN.shown) : rows;
  const isOpen = new Set(open);
  const folded = rows.filter((row) => !isOpen.has(row));
  const first = fitting(open, (row) => markup(rowOf(row, isTitled)), room);
  const rest = fitting(folded, (row) => markup(rowOf(row, isTitled)), room);
  const left = first.left + rest.left;
  return html`<section class="timeline" aria-labelledby="timeline">
    <div class="head"><h2 id="timeline">Timeline</h2>
      <p class="note">${time(from)} to ${time(to)}, ${elapsed(to - from)}</p>
      <p class="legend" aria-hidden="true"><span><svg class="key"><rect class="pause" y="5" width="100%" height="4" /></svg>waiting to start</span>${marks.length > 0 && html`<span><svg class="key"><line class="mark" x1="50%" x2="50%" y2="100%" /></svg>the task begins to end</span>`}${legendOf(
        rows,
      ).map(
        (state) =>
          html`<span><svg class="key"><rect class=${barClass(state)} width="100%" height="14" rx="2" /></svg>${state}</span>`,
      )}</p>
    </div>
    <div class="chart">
      <svg class="grid" aria-hidden="true">${ticks.map(({ x }) => html`<line class="tick" x1=${at(x)} x2=${at(x)} y2="100%" />`)}${marks.map((x) => html`<line class="mark" x1=${at(x)} x2=${at(x)} y2="100%" />`)}</svg>
      <div class="row axis"><span class="name"></span>
        <svg class="lane" aria-hidden="true">${ticks.map(({ x, after }) => html`<text x=${at(x)} y="13" class=${x > 94 ? 'end' : x === 0 ? 'start' : ''}>${tickText(after)}</text>`)}</svg>
      </div>
      ${stages.length > 0 && stagesOf(stages, state)}
      ${made(first.text)}
      ${
        folded.length > 0 &&
        html`<details class="fold"><summary>${count(folded.length, 'more process', 'more processes')}: ${statesText(folded)}</summary>${made(rest.text)}</details>`
      }
    </div>
    ${left > 0 && html`<p class="note">${count(left, 'process is', 'processes are')} not drawn, to keep the page small.</p>`}
    ${undrawn > 0 && html`<p class="note">${count(undrawn, 'run has', 'runs have')} no time that can be drawn.</p>`}
  </section>`;
}

/** The states that some bar has. */
function legendOf(rows: readonly TimelineRow[]): readonly string[] {
  const found = new Set(rows.flatMap(({ bars }) => bars.map(({ of }) => String(worstOf(of)))));
  return LEGEND.filter((state) => found.has(state));
}

export function at(x: number): string {
  return `${Math.round(x * 100) / 100}%`;
}

/** As a duration, but with fractions of a second where the axis is that short. */
export function tickText(after: number): string {
  if (after === 0) return '0';
  return after % 1000 === 0 ? `+${duration(after)}` : `+${after < 1000 ? `${after}ms` : `${after / 1000}s`}`;
}

/** A task goes through few states; a stream with more of them is made up. */
const MOST_STAGES = 8;

function stagesOf(stages: readonly Bar<StatePeriod>[], state: string | number): Html {
  const words = [...stages.flatMap(({ of }) => of.map((stage) => String(stage.state))), String(state)];
  const path = words.filter((word, i) => word !== words[i - 1]).slice(0, MOST_STAGES);
  return html`<div class="row task"><span class="name">task</span>
    <svg class="lane" role="img" aria-label=${`The task was ${path.map(visible).join(', then ')}.`}>${stages.map(
      (bar) => {
        const longest = bar.of.reduce((a, b) => (b.to - b.from > a.to - a.from ? b : a));
        return html`<rect class=${`stage ${toneOf(longest.state)}`} x=${at(bar.x)} width=${at(bar.width)} y="5" height="10" rx="2"><title>${bar.of.slice(0, MOST_STAGES).map(stageTitle).join('; ')}</title></rect>`;
      },
    )}</svg>
    <span class="what">${stateMark(state)}</span></div>`;
}

function stageTitle({ state, from, to }: StatePeriod): string {
  return `${visible(String(state))} from ${timeText(from)}, for ${elapsed(to - from)}`;
}

function rowOf({ process, bars }: TimelineRow, isTitled: boolean): Html {
  const { name, anchor, state } = process;
  const label = `${visible(name.slice(0, 200))}: ${count(process.run_count, 'run')}, ${state}`;
  return html`<div class="row"><a class="name" href=${`#${anchor}`} title=${visible(name.slice(0, 200))}>${short(name, 32)}</a>
    <svg class="lane" role="img" aria-label=${label}>${isTitled ? bars.map(titledBar) : compactBars(bars)}</svg>
    <span class="what">${stateMark(state)} <span class="note">${summaryOf(process)}</span></span></div>`;
}

function summaryOf({ runs, run_count }: Process): string {
  const { start, stop } = runs.at(-1) ?? {};
  const parts = [
    start !== undefined && stop !== undefined && elapsed(stop - start),
    run_count > 1 && `${run_count} runs`,
  ];
  return parts.filter(Boolean).join(' · ');
}

function titledBar(bar: Bar<ReportedRun>): Html {
  const { x, wait, width, open, of } = bar;
  const state = worstOf(of);
  const title = of.length === 1 ? runTitle(of[0] as ReportedRun) : severalTitle(of);
  return html`<g><title>${title}</title>${
    wait > 0.1 && html`<rect class="pause" x=${at(x)} width=${at(wait)} y="8" height="4" />`
  }<rect class=${`${barClass(state)}${open ? ' open' : ''}`} x=${at(x + wait)} width=${at(Math.max(width - wait, 0.3))} y="2" height="16" rx="2" /></g>`;
}

/** All bars of one colour as one path: many short lines. */
function compactBars(bars: readonly Bar<ReportedRun>[]): Html {
  const paths = new Map<string, string>();
  for (const { x, width, of } of bars) {
    const tone = toneOf(worstOf(of));
    paths.set(tone, `${paths.get(tone) ?? ''}M${tenths(x)} 10h${tenths(width)}`);
  }
  return html`<svg viewBox="0 0 100 20" preserveAspectRatio="none">${[...paths].map(([tone, path]) => html`<path class=${`plain ${tone}`} d=${path} />`)}</svg>`;
}

function tenths(x: number): number {
  return Math.round(x * 10) / 10;
}

function barClass(state: string | number): string {
  return `bar ${toneOf(state)} ${shapeOf(state)}`;
}

const WORST = ['FAILED', 'LOST', 'KILLED', 'RUNNING', 'FORKED', 'WAITING', 'SUCCESS'];

function worstOf(runs: readonly ReportedRun[]): string | number {
  const rank = ({ state }: ReportedRun) => (WORST.indexOf(String(state)) + WORST.length) % WORST.length;
  return runs.reduce((worst, run) => (rank(run) < rank(worst) ? run : worst)).state;
}

function runTitle({ n, state, how, fork, start, stop }: ReportedRun): string {
  const began = start ?? fork;
  const waited = fork !== undefined && start !== undefined ? start - fork : undefined;
  const parts = [
    `run ${n}: ${state}${how === '' ? '' : `, ${how}`}`,
    began !== undefined && `${start === undefined ? 'forked' : 'started'} ${timeText(began)}`,
    start !== undefined && stop !== undefined && `took ${elapsed(stop - start)}`,
    waited !== undefined && waited >= 10 && `waited ${elapsed(waited)} to start`,
  ];
  return visible(parts.filter(Boolean).join('; '));
}

function severalTitle(runs: readonly ReportedRun[]): string {
  const first = runs[0] as ReportedRun;
  const last = runs.at(-1) as ReportedRun;
  return `${runs.length} runs, ${first.n} to ${last.n}: ${stateCounts(runs.map(({ state }) => state))}; from ${timeText(first.start ?? first.fork ?? first.stop)}`;
}

/** `12 FAILED, 1 SUCCESS`. */
export function stateCounts(states: readonly (string | number)[]): string {
  const counts = new Map<string, number>();
  for (const state of states) counts.set(String(state), (counts.get(String(state)) ?? 0) + 1);
  return [...counts].map(([state, number]) => `${number} ${visible(state)}`).join(', ');
}

function statesText(rows: readonly TimelineRow[]): string {
  return stateCounts(rows.map(({ process }) => process.state));
}

/** Those that failed, then those that run, then the others, in the order of the rows. */
function mostUrgent(rows: readonly TimelineRow[], most: number): readonly TimelineRow[] {
  const rank = (tone: string) => ['bad', 'live', 'none', 'wait', 'good'].indexOf(tone);
  const chosen = [...rows]
    .sort((a, b) => rank(toneOf(a.process.state)) - rank(toneOf(b.process.state)))
    .slice(0, most);
  const isChosen = new Set(chosen);
  return rows.filter((row) => isChosen.has(row));
}
