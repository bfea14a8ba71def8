import { elapsed } from '../../text/age.js';
import { visible } from '../../text/escape.js';
import { size } from '../../text/size.js';
import type { Course, ResourcesSeen } from '../model.js';
import { fitting, type Room } from './fit.js';
import { type Html, html, made, markup } from './html.js';
import { count, short, time } from './parts.js';
import { ticksOf } from './timeline.js';
import { at, tickText } from './timeline-view.js';
import { areasOf, HEIGHT, type TimeAxis, topOf, type Value, WIDTH } from './usage-chart.js';

/** What a record of `top` has about the task and its processes. */
export function usageSection(seen: ResourcesSeen, room: Room): Html {
  const { samples, course, from_ms, to_ms, left_out = 0 } = seen;
  const span = { from: from_ms, to: Math.max(to_ms, from_ms + 1) };
  const ticks = ticksOf(span.from, span.to);
  const rows = fitting(rowsOf(seen), (row) => markup(drawnRow(row, course, span)), room);
  // Of one scale, so that they can be compared.
  const top = topOf(Math.max(0, ...seen.processes.map(({ cpu_max = 0 }) => cpu_max)), undefined);
  const drawn = (course: Course | undefined) => course && areaOf(course, 'cpu', span, top);
  const processes = fitting(
    seen.processes,
    (process, i) => markup(processRow(process, seen, drawn(seen.courses[i]))),
    room,
  );
  const left = processes.left > 0 || left_out > 0;
  return html`<section class="usage" aria-labelledby="usage">
    <div class="head"><h2 id="usage">Resources used</h2>
      <p class="note">${time(from_ms)} to ${time(to_ms)}, ${elapsed(to_ms - from_ms)}, ${count(samples, 'sample')}</p>
      <p class="legend" aria-hidden="true"><span><svg class="key"><line class="asked" y1="7" x2="100%" y2="7" /></svg>asked for</span></p>
    </div>
    <div class="chart">
      <svg class="grid" aria-hidden="true">${ticks.map(({ x }) => html`<line class="tick" x1=${at(x)} x2=${at(x)} y2="100%" />`)}</svg>
      <div class="row axis"><span class="name"></span>
        <svg class="lane" aria-hidden="true">${ticks.map(({ x, after }) => html`<text x=${at(x)} y="13" class=${x > 94 ? 'end' : x === 0 ? 'start' : ''}>${tickText(after)}</text>`)}</svg>
      </div>
      ${made(rows.text)}
    </div>
    ${
      processes.text !== '' &&
      html`<div class="wide" tabindex="0" role="group" aria-label="Resources used of the processes"><table class="used"><thead><tr><th>Process</th><th>CPU over time</th><th>Cores, mean</th><th>Most</th><th>Of asked</th><th>Memory, most</th><th>Of asked</th></tr></thead>${made(processes.text, 'tbody')}</table></div>`
    }
    ${left && html`<p class="note">More processes are left out, to keep the page small.</p>`}
    <p class="note">Each point is the maximum of its period. Where nothing is drawn, nothing was recorded, or it could not be seen.</p>
  </section>`;
}

interface UsageRow {
  readonly name: string;
  readonly value: Value;
  readonly most: number;
  readonly asked?: number;
  readonly text: (number: number) => string;
  /** What is shown beside the maximum. */
  readonly mean?: string;
}

function rowsOf(seen: ResourcesSeen): UsageRow[] {
  const { cpu_mean, cpu_max, rss_max_bytes, disk_max_bytes } = seen;
  const { cpu_asked, ram_asked_bytes, disk_asked_bytes } = seen;
  const rows: UsageRow[] = [];
  if (cpu_max !== undefined) {
    const mean = cpu_mean === undefined ? undefined : `${coresText(cpu_mean)} on average`;
    rows.push({ name: 'CPU', value: 'cpu', most: cpu_max, asked: cpu_asked, text: coresText, mean });
  }
  const sized = { text: size };
  if (rss_max_bytes !== undefined)
    rows.push({ name: 'Memory', value: 'rss', most: rss_max_bytes, asked: ram_asked_bytes, ...sized });
  if (disk_max_bytes !== undefined)
    rows.push({ name: 'Disk', value: 'disk', most: disk_max_bytes, asked: disk_asked_bytes, ...sized });
  return rows;
}

function drawnRow({ name, value, most, asked, text, mean }: UsageRow, course: Course, span: TimeAxis): Html {
  const top = topOf(most, asked);
  const said = `${text(most)} at most${asked === undefined ? '' : `, of ${text(asked)} asked for`}${mean === undefined ? '' : `, ${mean}`}`;
  const y = asked === undefined || asked > top ? undefined : at(100 * (1 - asked / top));
  return html`<div class="row use"><span class="name">${name}</span>
    <svg class="lane" role="img" aria-label=${`${name}: ${said}`}><title>${`${name}: ${said}`}</title>${areaOf(course, value, span, top)}${y !== undefined && html`<line class="asked" y1=${y} x2="100%" y2=${y} />`}</svg>
    <span class="what"><span>${text(most)}${asked !== undefined && html` of ${text(asked)} ${shareText(most, asked)}`}</span>${mean !== undefined && html`<span class="note">${mean}</span>`}</span></div>`;
}

function areaOf(course: Course, value: Value, span: TimeAxis, top: number): Html {
  return html`<svg viewBox=${`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none"><path class="used" d=${areasOf(course, value, span, top)} /></svg>`;
}

type SeenProcess = ResourcesSeen['processes'][number];

function processRow(
  { process, cpu_mean, cpu_max, rss_max_bytes }: SeenProcess,
  { cpu_asked, ram_asked_bytes }: ResourcesSeen,
  drawing: Html,
): Html {
  const known = (number: number | undefined, text: (number: number) => string) =>
    number === undefined ? '-' : text(number);
  return html`<tr><th scope="row" title=${visible(process.slice(0, 200))}>${short(process, 32)}</th><td><svg class="lane" aria-hidden="true">${drawing}</svg></td><td>${known(cpu_mean, rounded)}</td><td>${known(cpu_max, rounded)}</td><td>${shareText(cpu_max, cpu_asked)}</td><td>${known(rss_max_bytes, size)}</td><td>${shareText(rss_max_bytes, ram_asked_bytes)}</td></tr>`;
}

/** In per cent; above 100 with a mark, for those who see no colour. */
function shareText(used: number | undefined, asked: number | undefined): Html {
  if (used === undefined || asked === undefined || !(asked > 0)) return '';
  const percent = Math.round((100 * used) / asked);
  return percent > 100 ? html`<strong class="above">!${percent}%</strong>` : `${percent}%`;
}

function coresText(cores: number): string {
  const text = rounded(cores);
  return `${text} ${text === '1.00' ? 'core' : 'cores'}`;
}

function rounded(cores: number): string {
  return cores < 9.995 ? cores.toFixed(2) : cores < 99.95 ? cores.toFixed(1) : String(Math.round(cores));
}
