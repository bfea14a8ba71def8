import { elapsed } from '../../text/age.js';
import { visible } from '../../text/escape.js';
import { fitting, type Room } from './fit.js';
import { bytesOf, type Html, html, made, markup } from './html.js';
import type { PageLogs } from './log-view.js';
import { count, shown, time } from './parts.js';
import type { Process, ReportedRun } from './processes.js';
import { stateMark } from './state.js';
import { stateCounts } from './timeline-view.js';

/** With more runs, only the first and the last one are in sight. */
const MOST_OPEN = 50;

/** The longest command that is shown in full. */
const LONGEST_COMMAND = 8000;

/** About how many bytes of a page a process takes, and each of its runs. */
const BYTES = { process: 1000, run: 300 };

/** Fewer runs than this are not worth to be unfolded. */
const FEWEST_FOLDED = 10;

/**
 * Every process with every run, as far as there is room: of many processes each has an equal part of it, in which the
 * last runs are shown, and the others counted. `open`: the name of the process that is unfolded.
 */
export function processesSection(
  processes: readonly Process[],
  logs: PageLogs,
  { open, room, notAllRuns }: { open: string | undefined; room: Room; notAllRuns: boolean },
): Html {
  if (processes.length === 0) return undefined;
  const list = fitting(
    processes,
    (process, i) => {
      const isOpen = process.name === open;
      const share = room.left / (isOpen ? 2 : processes.length - i);
      const runs = Math.floor((share - BYTES.process - (process.cmdline?.length ?? 0)) / BYTES.run);
      const text = markup(processDetails(process, logs, { isOpen, runs }));
      return bytesOf(text) <= share
        ? text
        : markup(processDetails(process, logs, { isOpen, runs: 0, isShort: true }));
    },
    room,
  );
  return html`<section class="processes" aria-labelledby="processes"><div class="head"><h2 id="processes">Processes</h2><p class="note">${stateCounts(processes.map(({ state }) => state))}</p>
      <p class="tools" hidden><label>Filter <input type="search" data-search="processes" /></label> <output aria-live="polite"></output></p></div>
    <div class="columns" aria-hidden="true"><span>State</span><span>Process</span><span>How it ended</span><span>Runs</span><span>Took</span></div>
    ${made(list.text)}
    ${list.left > 0 && html`<p class="note">${count(list.left, 'process is', 'processes are')} left out, to keep the page small.</p>`}
    ${notAllRuns && html`<p class="note">The streams hold more runs than were kept.</p>`}
  </section>`;
}

interface Shown {
  isOpen: boolean;
  /** How many runs there is room for. */
  runs: number;
  /** Without its command, what it waits for, and its runs. */
  isShort?: boolean;
}

function processDetails(process: Process, logs: PageLogs, { isOpen, runs: most, isShort }: Shown): Html {
  const { name, anchor, state, runs, run_count, failures, kinds, cmdline, after } = process;
  const last = runs.at(-1);
  return html`<details class="process" id=${anchor} open=${isOpen}>
    <summary>${stateMark(state)}<span class="process-name">${shown(name, 200)}${kinds.map((kind) => html` <span class="kind">${kind}</span>`)}</span><span class="meta"><span class="how">${last?.how ?? ''}</span><span class="runs">${run_count === 0 ? 'did not run' : count(run_count, 'run')}${failures > 0 && run_count > 1 ? `, ${failures} failed` : ''}</span><span class="took">${last === undefined ? '' : tookText(last)}</span></span></summary>
    <div class="inside">
      ${cmdline !== undefined && !isShort && html`<pre class="command" tabindex="0" role="region" aria-label=${`Command of ${visible(name.slice(0, 200))}`}><code>${commandText(cmdline)}</code></pre>`}
      <p class="note">${factsOf(process)}</p>
      ${after.length > 0 && !isShort && html`<p class="note">Waits for ${namesText(after)}.</p>`}
      ${runs.length > 0 && (isShort ? html`<p class="note">${count(runs.length, 'run')}: ${foldedText(runs)}</p>` : runsOf(process, logs, most))}
    </div></details>`;
}

/** What its config allows. */
function factsOf({ kinds, failures, max_failures }: Process): string {
  const allowed =
    max_failures === undefined
      ? ''
      : max_failures === 0
        ? 'It may fail any number of times.'
        : `It may fail ${max_failures === 1 ? 'once' : `${max_failures} times`}: ${failures} used.`;
  return [allowed, ...kinds.map((kind) => KIND_WORDS[kind] ?? '')].filter(Boolean).join(' ');
}

function namesText(names: readonly string[]): string {
  const first = names.slice(0, 20).map((name) => shown(name, 100));
  return names.length > first.length
    ? `${first.join(', ')} and ${names.length - first.length} more`
    : first.join(', ');
}

const KIND_WORDS: Readonly<Record<string, string>> = {
  final: 'It runs when the others are over.',
  daemon: 'It is run again whenever it ends.',
  ephemeral: 'The task does not wait for its end.',
};

/** A command may have several lines. */
function commandText(cmdline: string): string {
  const cut = cmdline.slice(0, LONGEST_COMMAND);
  const more = cmdline.length > cut.length ? `… (${cmdline.length - cut.length} more characters)` : '';
  return (
    cut
      .split('\n')
      .map((line) => line.split('\t').map(visible).join('\t'))
      .join('\n') + more
  );
}

function runsOf({ name, runs, run_count }: Process, logs: PageLogs, most: number): Html {
  const rows = (list: readonly ReportedRun[]) => list.map((run) => runRow(name, run, logs));
  const table = (list: Html) =>
    html`<div class="wide" tabindex="0" role="group" aria-label=${`Runs of ${visible(name.slice(0, 200))}`}><table><thead><tr><th>Run</th><th>State</th><th>How it ended</th><th>Started</th><th>Waited</th><th>Took</th><th>Logs</th></tr></thead><tbody>${list}</tbody></table></div>`;
  const unknown = run_count - runs.length;
  const note =
    unknown > 0 && html`<p class="note">${count(unknown, 'more run')} in the stream, too many to keep.</p>`;
  if (runs.length <= Math.min(Math.max(most, 3), MOST_OPEN)) return html`${table(rows(runs))}${note}`;
  const folded = runs.slice(1, -1);
  const kept = Math.min(folded.length, Math.max(0, most - 2));
  const summary = `${count(folded.length, 'more run')}, ${foldedText(folded)}`;
  if (kept < FEWEST_FOLDED) {
    const gap = html`<tr><td colspan="7" class="note">${summary}</td></tr>`;
    return html`${table([rows(runs.slice(0, 1)), gap, rows(runs.slice(-1))])}${note}`;
  }
  return html`${table(rows(runs.slice(0, 1)))}
    <details class="fold"><summary>${summary}</summary>${kept < folded.length && html`<p class="note">The last ${kept} of them are here, to keep the page small.</p>`}${table(rows(folded.slice(-kept)))}</details>
    ${table(rows(runs.slice(-1)))}${note}`;
}

/** `97 FAILED (exit code 1), 1 LOST`. */
export function foldedText(runs: readonly ReportedRun[]): string {
  const counts = new Map<string, number>();
  for (const { state, how } of runs) {
    const words = `${visible(String(state))}${how === '' || state === 'SUCCESS' ? '' : ` (${how})`}`;
    counts.set(words, (counts.get(words) ?? 0) + 1);
  }
  const kinds = [...counts].sort(([, a], [, b]) => b - a);
  const shown = kinds.slice(0, 4).map(([words, number]) => `${number} ${words}`);
  const rest = kinds.slice(4).reduce((sum, [, number]) => sum + number, 0);
  return [...shown, ...(rest > 0 ? [`${rest} others`] : [])].join(', ');
}

function runRow(process: string, run: ReportedRun, logs: PageLogs): Html {
  const { n, state, how, fork, start, stop } = run;
  const links = (['stdout', 'stderr'] as const).flatMap((stream) => {
    const found = logs.find({ process, run: n, stream });
    return found === undefined ? [] : [html`<a href=${`#${found.anchor}`}>${stream}</a> `];
  });
  const waited = fork === undefined || start === undefined ? '' : elapsed(start - fork);
  return html`<tr><th scope="row">${n}</th><td>${stateMark(state)}</td><td>${how}</td><td>${time(start ?? fork)}${start === undefined && fork !== undefined ? ' (forked)' : ''}</td><td>${waited}</td><td>${tookText(run)}${start !== undefined && stop !== undefined && Number.isFinite(start - stop) && stop < start ? ' (it stopped before it started, by its times)' : ''}</td><td>${links}</td></tr>`;
}

function tookText({ start, stop }: ReportedRun): string {
  return start === undefined || stop === undefined ? '' : elapsed(stop - start);
}
