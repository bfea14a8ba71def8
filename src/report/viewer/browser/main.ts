/** The program of the viewer: the only part that knows a clock, the page and its address. */
import { isOver } from '../../../task/condition.js';
import { CALLBACK } from '../../data.js';
import type { TaskReport } from '../../model.js';
import { type Html, markup } from '../../page/html.js';
import { SPRITE } from '../../page/state.js';
import { addressesIn, hashOf, type Wanted, wantedBy } from '../address.js';
import { Fleet, type TaskRow } from '../fleet.js';
import { leftOutBy, summaryOf, troubleWith } from '../pieces.js';
import { remoteReport } from '../remote-report.js';
import { checkedReport } from '../report-script.js';
import { AgentFrames } from './frames.js';
import { ListView } from './list-view.js';
import { EmbeddedTaskPage } from './task-view.js';

declare const THERMOS_VERSION: string;
const MADE_BY = `thermos ${THERMOS_VERSION}`;

/** Between two looks at all agents, and at the task that is shown, milliseconds. */
const ROUND_MS = 5000;
const TASK_MS = 2000;
/** A list is drawn again at most this often. */
const DRAW_MS = 250;

const elementOf = <T extends HTMLElement>(id: string) => document.getElementById(id) as T;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const isSecure = location.protocol === 'https:';

/** Nobody looks at a page that is hidden. */
const seen = async () => {
  while (document.hidden) {
    await new Promise((resolve) => document.addEventListener('visibilitychange', resolve, { once: true }));
  }
};

document.body.insertAdjacentHTML('afterbegin', SPRITE);
const frames = new AgentFrames(elementOf('viewer-frames'));
const taskView = new EmbeddedTaskPage(elementOf('viewer-task'));
const listView = new ListView(elementOf<HTMLTableElement>('viewer-table'), drawSoon);
const form = elementOf<HTMLFormElement>('viewer-form');
const agentsField = elementOf<HTMLInputElement>('viewer-agents');
const mastersField = elementOf<HTMLInputElement>('viewer-masters');
const search = elementOf<HTMLInputElement>('viewer-search');

let wanted: Wanted = { agents: [], masters: [] };
let fleet = newFleet();
/** Grows with each change of what is asked, so that what was begun before ends. */
let turn = 0;

function newFleet(): Fleet {
  return new Fleet({ loadFrom: (base) => frames.loadFrom(base), changed: drawSoon, pause });
}

let isDrawing = false;
/** Of the last time. */
let drawingMs = 0;
function drawSoon(): void {
  if (isDrawing) return;
  isDrawing = true;
  const begin = () => {
    isDrawing = false;
    const before = performance.now();
    drawList();
    drawingMs = performance.now() - before;
  };
  // A tenth of the time at most.
  setTimeout(begin, Math.max(DRAW_MS, 9 * drawingMs));
}

/** A link that also leads there from elsewhere: it names only the task's own agent. */
const hrefOf = ({ key, agent }: TaskRow) => hashOf({ agents: [agent.base], masters: [], task: key });

function drawList(): void {
  const { agents, tasks } = fleet;
  const shown = listView.draw(tasks, hrefOf, Date.now());
  const unread = tasks.filter(({ view, refused }) => view === undefined && refused !== true).length;
  elementOf('viewer-summary').textContent =
    agents.length === 0 ? '' : summaryOf(agents, tasks.length, shown, unread);
  const trouble: Html[] = [
    ...[...fleet.silent].map((base) => troubleWith(base, 'master', isSecure)),
    ...agents
      .filter(({ answer }) => answer === 'none')
      .map(({ base }) => troubleWith(base, 'agent', isSecure)),
    ...agents.filter(({ leftOut }) => leftOut > 0).map((agent) => leftOutBy(agent)),
  ];
  const place = elementOf('viewer-trouble');
  const text = trouble.map(markup).join('');
  if (place.innerHTML !== text) place.innerHTML = text;
  place.hidden = trouble.length === 0;
}

/** Looks at all agents again and again. */
async function watchAgents(mine: number): Promise<void> {
  const { masters } = wanted;
  while (turn === mine) {
    await Promise.all(masters.map((master) => fleet.addFrom(master)));
    await fleet.round();
    await pause(ROUND_MS);
    await seen();
  }
}

/** Shows a task, and what becomes of it. */
async function watchTask(key: string): Promise<void> {
  const isShown = () => wanted.task === key;
  taskView.say('Reading the task…');
  let source: ReturnType<Fleet['source']> | undefined;
  let row: TaskRow | undefined;
  for (let first = true; isShown(); first = false) {
    row = fleet.tasks.find((each) => each.key === key) ?? row;
    if (row === undefined) {
      if (!first && fleet.agents.every(({ answer }) => answer !== 'asked')) {
        taskView.say('None of the agents that were asked has this task. It may have been removed.');
      }
      await pause(DRAW_MS);
      continue;
    }
    source ??= fleet.source(row);
    const read = await source.read();
    if (!isShown()) return;
    if (read === undefined)
      taskView.say(
        'The agent does not show the sandbox of this task: it was removed, or not everybody may see it.',
      );
    else {
      const options = { now: Date.now(), madeBy: MADE_BY, agent: row.agent.base };
      const report = await remoteReport(read.view, read.sandbox, options);
      if (!isShown()) return;
      taskView.show(report);
      if (isOver(read.view) && row.run.running === false) return;
    }
    await pause(TASK_MS);
    await seen();
  }
}

async function showReport(address: string): Promise<void> {
  taskView.say('Loading the report…');
  const { href, protocol } = new URL(address, location.href);
  let report: TaskReport | undefined;
  try {
    // A browser lets no frame without an origin load from a disk, and no other may run what was loaded.
    if (protocol !== 'file:') report = checkedReport(await frames.loadCall(href, CALLBACK));
  } catch {
    // Said below.
  }
  if (wanted.report !== address) return;
  if (report !== undefined) taskView.show(report);
  else if (protocol === 'file:')
    taskView.say('A report on a disk is not loaded: open the index.html beside it.');
  else taskView.say(`There is no report at ${href}.`);
}

function follow(): void {
  const before = wanted;
  wanted = wantedBy(location.hash);
  const same = (kind: 'agents' | 'masters') => before[kind].join() === wanted[kind].join();
  agentsField.value = wanted.agents.join(' ');
  mastersField.value = wanted.masters.join(' ');
  const shows = wanted.task !== undefined || wanted.report !== undefined;
  elementOf('viewer-list').hidden = shows;
  elementOf('viewer-one').hidden = !shows;
  elementOf<HTMLAnchorElement>('viewer-back').href = hashOf({
    agents: wanted.agents,
    masters: wanted.masters,
  });
  if (!same('agents') || !same('masters')) {
    fleet = newFleet();
    for (const agent of wanted.agents) fleet.add(agent);
    turn += 1;
    drawList();
    if (wanted.agents.length + wanted.masters.length > 0) void watchAgents(turn);
  }
  if (wanted.report !== undefined) {
    if (wanted.report !== before.report) void showReport(wanted.report);
  } else if (wanted.task !== undefined) {
    if (wanted.task !== before.task || !same('agents') || !same('masters')) void watchTask(wanted.task);
  } else {
    taskView.clear();
    document.title = 'Tasks · thermos';
    drawSoon();
  }
  if (shows) scrollTo(0, 0);
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  const agents = addressesIn(agentsField.value, 'agent');
  const masters = addressesIn(mastersField.value, 'master');
  const bad = [...agents.bad, ...masters.bad];
  elementOf('viewer-bad').textContent =
    bad.length === 0 ? '' : `Not an http or https address without a password: ${bad.join(', ')}`;
  location.hash = hashOf({ agents: agents.good, masters: masters.good });
});
// On this page, a link keeps what is asked.
elementOf('viewer-table').addEventListener('click', (event) => {
  const link = event.target instanceof Element ? event.target.closest('a') : null;
  if (link === null || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey)
    return;
  event.preventDefault();
  location.hash = hashOf({ ...wanted, report: undefined, task: wantedBy(link.hash).task });
});
search.addEventListener('input', () => {
  listView.words = search.value;
  drawSoon();
});
addEventListener('hashchange', follow);
follow();
