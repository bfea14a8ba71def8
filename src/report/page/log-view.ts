import type { Excerpt } from '../../logs/excerpt.js';
import { visible } from '../../text/escape.js';
import { size } from '../../text/size.js';
import type { ReportLinks, TaskReport } from '../model.js';
import { fitting, type Room } from './fit.js';
import { type Html, html, made, markup } from './html.js';
import { type LogLine, type LogText, logText } from './logs.js';
import { count, LONGEST, shown } from './parts.js';

type LogKey = Pick<Excerpt, 'process' | 'run' | 'stream'>;

function keyOf({ process, run, stream }: LogKey): string {
  return `${run} ${stream} ${process}`;
}

/** A log with what was read of it. */
export interface PageLog {
  /** Of its section on the page. */
  anchor: string;
  log: TaskReport['task']['logs'][number];
  excerpt?: Excerpt;
}

/** The logs of a task by process, run and stream. */
export class PageLogs {
  readonly all: readonly PageLog[];
  readonly #byKey: ReadonlyMap<string, PageLog>;

  constructor({ task, excerpts }: TaskReport) {
    const read = new Map(excerpts.map((excerpt) => [keyOf(excerpt), excerpt]));
    this.all = task.logs.map((log, i) => ({ anchor: `g${i}`, log, excerpt: read.get(keyOf(log)) }));
    this.#byKey = new Map(this.all.map((each) => [keyOf(each.log), each]));
  }

  find(key: LogKey): PageLog | undefined {
    return this.#byKey.get(keyOf(key));
  }
}

/** How many lines of the failed process are shown at once. */
const FAILED_LINES = 50;

/** The end of what the process that failed first wrote; nothing if that is not known. */
export function failureSection({ failing, links }: TaskReport, logs: PageLogs, room: Room): Html {
  if (failing === undefined) return undefined;
  const found = (['stderr', 'stdout'] as const).map((stream) => logs.find({ ...failing, stream }));
  const chosen = found.find((each) => each?.excerpt !== undefined && linesOf(each.excerpt).length > 0);
  if (chosen?.excerpt === undefined) return undefined;
  const text = logText(chosen.excerpt);
  const lines = text.last.length > 0 ? text.last : text.first;
  const end = lines.slice(-FAILED_LINES);
  const pieces = fitting(end.toReversed(), (line) => lineText(line, chosen.anchor, false), room);
  const kept = end.slice(pieces.left);
  const isAll = kept.length === lines.length && text.left_out === undefined;
  const other = found.find((each) => each !== undefined && each !== chosen && each.log.bytes > 0);
  const name = `${visible(failing.process.slice(0, 200))} · run ${failing.run} · ${chosen.log.stream}`;
  return html`<section class="failure" aria-labelledby="failure">
    <div class="head"><h2 id="failure">What failed first</h2><p class="note">${name}, ${isAll ? 'all of it' : `the last ${count(kept.length, 'line')}`}</p></div>
    <pre class="log end" tabindex="0" role="region" aria-label=${`The end of ${name}`}>${made(kept.map((line) => lineText(line, chosen.anchor, false)).join(''), 'code')}</pre>
    <p class="note links"><a href=${`#${chosen.anchor}`}>${isAll ? 'Its' : 'More of'} ${chosen.log.stream}</a>${other !== undefined && html`<a href=${`#${other.anchor}`}>Its ${other.log.stream}</a>`}${downloadLink(chosen.log.path, links)}</p>
  </section>`;
}

function sizeOf({ first, last }: Excerpt): number {
  const sum = (lines: readonly string[]) =>
    lines.reduce((size, line) => size + Math.min(line.length, LONGEST), 0);
  return sum(first) + sum(last) + 60 * (first.length + last.length);
}

function linesOf({ first, last }: Excerpt): readonly string[] {
  return last.length > 0 ? last : first;
}

/** Every log, folded. */
export function logsSection(logs: PageLogs, { failing, links }: TaskReport, room: Room): Html {
  if (logs.all.length === 0) return undefined;
  const read = logs.all.filter(({ excerpt }) => excerpt !== undefined);
  // Those of what failed are needed most; they come in their own order.
  const urgent = (each: PageLog) =>
    failing !== undefined && each.log.process === failing.process
      ? each.log.run === failing.run
        ? 0
        : 1
      : 2;
  const texts = new Map<PageLog, string>();
  for (const each of read.toSorted((a, b) => urgent(a) - urgent(b))) {
    // Markup is longer than what it shows.
    if (Math.min(sizeOf(each.excerpt as Excerpt), 64 * 1024) > room.left) continue;
    const text = markup(logDetails(each, each.excerpt as Excerpt, links));
    if (room.take(text)) texts.set(each, text);
  }
  const missing = logs.all.filter((each) => !texts.has(each));
  const listed = room.within(64 * 1024, (part) =>
    fitting(missing, (each) => markup(missingLog(each, links)), part),
  );
  return html`<section class="logs" aria-labelledby="logs"><div class="head"><h2 id="logs">Logs</h2><p class="note">The beginning and the end of each.</p>
      <p class="tools" hidden><label>Search lines <input type="search" data-search="logs" /></label> <output aria-live="polite"></output></p></div>
    ${made(logs.all.map((each) => texts.get(each) ?? '').join(''))}
    ${
      missing.length > 0 &&
      html`<details class="fold"><summary>${count(missing.length, 'log')} whose lines are not on this page</summary>${made(listed.text, 'ul')}${listed.left > 0 && html`<p class="note">and ${listed.left} more</p>`}</details>`
    }
  </section>`;
}

function logDetails({ anchor, log }: PageLog, excerpt: Excerpt, links: ReportLinks | undefined): Html {
  const text = logText(excerpt);
  const name = `${visible(log.process.slice(0, 200))} · run ${log.run} · ${log.stream}`;
  const isEmpty = text.first.length + text.last.length === 0;
  return html`<details class="log" id=${anchor}>
    <summary><span class="log-name">${shown(log.process, 200)}</span> <span class="part">run ${log.run}</span> <span class=${`part ${log.stream}`}>${log.stream}</span> <span class="note">${size(excerpt.bytes)}${isEmpty ? ', empty' : ''}${excerpt.problem !== undefined && ', not read in full'}</span></summary>
    <p class="note path"><code>${shown(excerpt.path)}</code> ${downloadLink(excerpt.path, links)}</p>
    ${excerpt.problem !== undefined && html`<p class="problem">${shown(excerpt.problem)}</p>`}
    ${!isEmpty && html`<pre class="log" tabindex="0" role="region" aria-label=${name}>${made(linesText(text, anchor), 'code')}</pre>`}
  </details>`;
}

function missingLog({ anchor, log }: PageLog, links: ReportLinks | undefined): Html {
  return html`<li id=${anchor}><code>${shown(log.path)}</code> <span class="note">${size(log.bytes)}</span> ${downloadLink(log.path, links)}</li>`;
}

function linesText({ first, left_out, last }: LogText, anchor: string): string {
  const gap =
    left_out === undefined
      ? ''
      : `<span class="gap">${left_out.lines === undefined ? '' : `${count(left_out.lines, 'line')}, `}${size(left_out.bytes)} left out</span>`;
  const texts = (lines: readonly LogLine[]) => lines.map((line) => lineText(line, anchor, true)).join('');
  return texts(first) + gap + texts(last);
}

/** A line with its number, which links to it. The number cannot be reached by Tab: there are too many of them. */
function lineText({ number, text }: LogLine, anchor: string, isPlace: boolean): string {
  const id = `${anchor}-${number < 0 ? `e${-number}` : number}`;
  const place = isPlace ? ` id=${id}` : '';
  const shownNumber = number < 0 ? `−${-number}` : String(number);
  return `<span class=l${place}><a href=#${id} tabindex=-1>${shownNumber}</a>${text}\n</span>`;
}

/** Only what a browser opens as a page. */
export function linkTo(address: string | undefined, words: string): Html {
  if (address === undefined || !/^https?:\/\/[^\s"<>]+$/i.test(address)) return undefined;
  return html`<a href=${address} rel="noreferrer">${words}</a>`;
}

function downloadLink(path: string, links: ReportLinks | undefined): Html {
  const { downloads } = links ?? {};
  return downloads !== undefined && Object.hasOwn(downloads, path)
    ? linkTo(downloads[path], 'Download')
    : undefined;
}
