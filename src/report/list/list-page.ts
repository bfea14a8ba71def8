import { duration, timestamp } from '../../text/age.js';
import { visible } from '../../text/escape.js';
import { html } from '../page/html.js';
import { pageOf } from '../page/shell.js';
import { stateMark, type Tone, toneOf } from '../page/state.js';
import { text as css, hash as cssHash } from './list.css?inline';
import type { ListedTask, TaskList } from './list.js';
import { text as script, hash as scriptHash } from './script/list.ts?inline';

export interface ListPageOptions {
  /** Seconds after which a browser loads the page again: for a page that is rewritten. */
  refresh?: number;
}

/** The page of all tasks, in the order of the list: one HTML file, with links to theirs. Pure. */
export function listPage(list: TaskList, { refresh }: ListPageOptions = {}): string {
  const { tasks, hostname } = list;
  return pageOf({
    title: `${tasks.length} ${tasks.length === 1 ? 'task' : 'tasks'} · ${hostname}`,
    tone: toneOfAll(tasks),
    refresh,
    body: listBody(list),
    styles: [{ text: css, hash: cssHash }],
    scripts: [{ text: script, hash: scriptHash }],
  });
}

/** Those of the first task, because the most urgent one is first. */
function toneOfAll([first]: readonly ListedTask[]): Tone {
  return first === undefined ? 'none' : toneOf(first.state);
}

/** A title, and how a script sorts by the column: by the text of its cells, or by their `data-n`. */
const COLUMNS = [
  { title: 'State', sort: 'text' },
  { title: 'Task', sort: 'text' },
  { title: 'User', sort: 'text' },
  { title: 'Done', sort: 'number' },
  { title: 'Failed first', sort: 'text' },
  { title: 'Since', sort: 'number' },
] as const;

/** All that the page shows, without the page. */
export function listBody({ tasks, problems, hostname, made_ms, made_by }: TaskList) {
  return html`
    <header>
      <h1>Tasks of ${visible(hostname)}</h1>
      <p>${countsOf(tasks)}</p>
    </header>
    <main class="list">
      ${
        problems.length > 0 &&
        html`<section aria-labelledby="problems"><h2 id="problems">Problems</h2>
        <ul>${problems.map((problem) => html`<li>${visible(problem)}</li>`)}</ul></section>`
      }
      ${
        tasks.length > 0 &&
        html`<section aria-label="Tasks"><div class="tools" id="tools"></div><div class="wide" role="region" aria-label="Table of tasks" tabindex="0"><table id="tasks">
        <thead><tr>${COLUMNS.map(({ title, sort }) => html`<th scope="col" data-sort=${sort}>${title}</th>`)}</tr></thead>
        <tbody>${tasks.map((task) => row(task, made_ms))}</tbody></table></div></section>`
      }
    </main>
    <footer><p>Made by ${visible(made_by)} at ${timestamp(made_ms)}.</p></footer>`;
}

function row(task: ListedTask, madeMs: number) {
  const { task_id, href, state, verdict, user, processes, succeeded, failing, state_ms, root } = task;
  const since =
    state_ms === undefined
      ? '-'
      : html`<time datetime=${timestamp(state_ms)} title=${timestamp(state_ms)}>${duration(madeMs - state_ms)}</time>`;
  return html`<tr>
    <td>${stateMark(state)}${verdict !== 'ok' && html` <span class="doubt">${visible(verdict)}</span>`}</td>
    <th scope="row"><a href=${href} title=${visible(root)}>${visible(task_id)}</a></th>
    <td>${visible(user ?? '-')}</td>
    <td data-n=${processes === 0 ? 0 : succeeded / processes}>${succeeded}/${processes}</td>
    <td>${visible(failing ?? '')}</td>
    <td data-n=${state_ms ?? 0}>${since}</td>
  </tr>`;
}

/** `12 tasks: 2 FAILED, 1 ACTIVE (runner-gone), 9 SUCCESS`. */
function countsOf(tasks: readonly ListedTask[]): string {
  if (tasks.length === 0) return 'No tasks.';
  const counts = new Map<string, number>();
  for (const { state, verdict } of tasks) {
    const word = verdict === 'ok' ? state : `${state} (${verdict})`;
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  const parts = [...counts].map(([word, count]) => `${count} ${visible(word)}`).join(', ');
  return `${tasks.length} ${tasks.length === 1 ? 'task' : 'tasks'}: ${parts}`;
}
