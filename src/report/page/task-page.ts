import { isTerminalTaskState } from '../../checkpoint/records.js';
import { duration, elapsed } from '../../text/age.js';
import { visible } from '../../text/escape.js';
import type { TaskReport } from '../model.js';
import { definitions, detailsSection, problemsOnTop, rawSection, resourcesText } from './details-view.js';
import { fitting, Room } from './fit.js';
import { graphSection } from './graph-view.js';
import { type Html, html, made, markup } from './html.js';
import { failureSection, linkTo, logsSection, PageLogs } from './log-view.js';
import { milliseconds, shown, time } from './parts.js';
import { processesSection } from './process-view.js';
import { processesOf } from './processes.js';
import { pageOf } from './shell.js';
import { stateMark, type Tone, toneOf } from './state.js';
import { isWatched, timelineOf } from './timeline.js';
import { timelineSection } from './timeline-view.js';
import { usageSection } from './usage-view.js';

export interface TaskPageOptions {
  /** Seconds after which a browser loads the page again: for a task that is not over and a page that is rewritten. */
  refresh?: number;
}

const KIB = 1024;

/** How large a page may become, in bytes, and how much of it each part may take; logs and data share what is left. */
const MOST = {
  page: 2048 * KIB,
  /** Style, script, shapes, the head, the titles of the parts. */
  always: 48 * KIB,
  problems: 48 * KIB,
  why: 64 * KIB,
  failure: 96 * KIB,
  timeline: 400 * KIB,
  usage: 160 * KIB,
  graph: 250 * KIB,
  processes: 640 * KIB,
  details: 160 * KIB,
  logs: 800 * KIB,
};

/** The page of a task: one HTML file of at most 2 MiB that needs no other. Pure. */
export function taskPage(report: TaskReport, { refresh }: TaskPageOptions = {}): string {
  const { task } = report;
  return pageOf({
    title: `${task.state} · ${task.task_id.slice(0, 200)}`,
    tone: pageTone(task),
    refresh,
    body: taskBody(report),
  });
}

/** The colour of its state, but for a task that nobody goes on with. */
function pageTone({ state, verdict }: TaskReport['task']): Tone {
  const isStuck = verdict === 'runner-gone' || verdict === 'host-rebooted';
  return isStuck ? 'bad' : toneOf(state);
}

/** All that the page shows, without the page: for a page that shows one task after the other. */
export function taskBody(report: TaskReport): Html {
  const { task, made_ms, resources_seen } = report;
  const processes = processesOf(task);
  const timeline = timelineOf(task, processes, made_ms);
  const logs = new PageLogs(report);
  const room = new Room(MOST.page - MOST.always);
  // What matters most gets its room first.
  const problems = room.within(MOST.problems, (part) => problemsOnTop(task, part));
  const failure = room.within(MOST.failure, (part) => failureSection(report, logs, part));
  const why = room.within(MOST.why, (part) => whySection(report, failure !== undefined, part));
  const sections: Record<PagePart, Html> = {
    timeline: timeline && room.within(MOST.timeline, (part) => timelineSection(timeline, part)),
    usage: resources_seen && room.within(MOST.usage, (part) => usageSection(resources_seen, part)),
    graph: room.within(MOST.graph, (part) => graphSection(processes, part)),
    processes: room.within(MOST.processes, (part) =>
      processesSection(processes, logs, {
        open: report.failing?.process,
        room: part,
        notAllRuns: task.left_out?.runs !== undefined,
      }),
    ),
    details: room.within(MOST.details, (part) => detailsSection(report, part)),
    logs: room.within(MOST.logs, (part) => logsSection(logs, report, part)),
  };
  const given = (Object.keys(PARTS) as PagePart[]).filter((part) => sections[part]);
  const header = headerOf(report, given, new Room(MOST.always));
  return html`
    ${header}
    <main>
      ${problems}
      <div class=${failure === undefined ? 'answer' : 'answer two'}>
        ${why}
        ${failure}
      </div>
      ${given.map((part) => sections[part])}
      ${rawSection(report, room)}
    </main>
    <footer><p>Made by ${shown(report.made_by, 200)} at ${time(made_ms)}. This file needs no other, and loads none.</p></footer>`;
}

/** By the ids of their headings. */
const PARTS = {
  timeline: 'Timeline',
  usage: 'Resources',
  graph: 'Order',
  processes: 'Processes',
  logs: 'Logs',
  details: 'Details',
};
type PagePart = keyof typeof PARTS;

const VERDICTS: Readonly<Record<string, string>> = {
  'runner-gone': 'its runner is gone',
  'host-rebooted': 'its host was rebooted since',
  leftovers: 'some of its processes are still alive',
  'foreign-pids': 'its processes cannot be seen from its host',
  unknown: 'its state is not known for sure',
};

function headerOf({ task, made_ms, links }: TaskReport, parts: readonly PagePart[], room: Room): Html {
  const { state, verdict } = task;
  const since = milliseconds(task.state_timestamp_ms);
  const launched = milliseconds(task.launch_time_ms);
  const isOver = isTerminalTaskState(state);
  const end = isOver ? since : isWatched(task) ? made_ms : undefined;
  const words =
    end === undefined || launched === undefined
      ? ''
      : isOver
        ? `after ${elapsed(end - launched)}`
        : `for ${duration(end - launched)}`;
  const facts: (readonly [string, Html])[] = [
    ['Launched', launched === undefined ? undefined : time(launched)],
    [isOver ? 'Ended' : `${visible(String(state))} since`, since === undefined ? undefined : time(since)],
    ['User', task.user === undefined ? undefined : shown(task.user, 60)],
    ['Host', task.hostname === undefined ? undefined : shown(task.hostname, 80)],
    ...resourcesText(task),
  ];
  return html`<header class=${pageTone(task)}>
    <div class="verdict">${stateMark(state)}${words !== '' && html` <span>${words}</span>`}${verdict !== 'ok' && html` <span class="doubt"><strong>${visible(verdict)}</strong>${VERDICTS[verdict] === undefined ? '' : `: ${VERDICTS[verdict]}`}</span>`}</div>
    <h1>${shown(task.task_id, 300)}</h1>
    ${definitions(facts, room)}
    ${parts.length > 0 && html`<nav aria-label="Parts of this page">${parts.map((part) => html`<a href=${`#${part}`}>${PARTS[part]}</a>`)}</nav>`}
    ${links?.browse !== undefined && html`<p class="note links">${linkTo(links.browse, 'Sandbox in Mesos')}</p>`}
  </header>`;
}

/** A line that quotes a log. */
const QUOTED = /^ {2}\| ?/;

/** The reasons; what they quote of a log is left out where the log is beside them. */
function whySection({ task }: TaskReport, isLogBeside: boolean, room: Room): Html {
  const lines = task.why.filter((line, i) => {
    const isQuote = QUOTED.test(line) || QUOTED.test(task.why[i + 1] ?? '');
    return !(isLogBeside && isQuote);
  });
  const list = fitting(
    paragraphsOf(lines),
    (lines) =>
      markup(
        QUOTED.test(lines[0] ?? '')
          ? html`<pre class="log"><code>${lines.map((line) => shown(line.replace(QUOTED, ''))).join('\n')}</code></pre>`
          : html`<p>${shown(lines[0] ?? '')}</p>`,
      ),
    room,
  );
  return html`<section class="why" aria-labelledby="why"><div class="head"><h2 id="why">Why</h2></div>${made(list.text)}${list.left > 0 && html`<p class="note">More is left out, to keep the page small.</p>`}</section>`;
}

/** Each line by itself, but for lines that quote a log one after the other. */
function paragraphsOf(lines: readonly string[]): string[][] {
  const paragraphs: string[][] = [];
  for (const line of lines) {
    const last = paragraphs.at(-1);
    if (QUOTED.test(line) && last !== undefined && QUOTED.test(last[0] ?? '')) last.push(line);
    else paragraphs.push([line]);
  }
  return paragraphs;
}
