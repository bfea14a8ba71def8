import { duration, timestamp } from '../../text/age.js';
import { visible } from '../../text/escape.js';
import type { TaskReport } from '../model.js';
import { html } from './html.js';
import { pageOf } from './shell.js';
import { stateMark, toneOf } from './state.js';

export interface TaskPageOptions {
  /** Seconds after which a browser loads the page again: for a task that is not over and a page that is rewritten. */
  refresh?: number;
}

/** The page of a task: one HTML file that needs no other. Pure. */
export function taskPage(report: TaskReport, { refresh }: TaskPageOptions = {}): string {
  const { task } = report;
  return pageOf({
    title: `${task.state} · ${task.task_id}`,
    tone: toneOf(task.state),
    refresh,
    body: taskBody(report),
  });
}

/** All that the page shows, without the page: for a page that shows one task after the other. */
export function taskBody({ task, made_ms, made_by }: TaskReport) {
  return html`
    <header>
      <h1>${stateMark(task.state)} <span class="id">${visible(task.task_id)}</span></h1>
      <p>since ${timestamp(Number(task.state_timestamp_ms))}, ${duration(made_ms - Number(task.state_timestamp_ms))} ago</p>
    </header>
    <main>
      <section aria-labelledby="why"><h2 id="why">Why</h2>${task.why.map((line) => html`<p>${visible(line)}</p>`)}</section>
    </main>
    <footer><p>Made by ${visible(made_by)} at ${timestamp(made_ms)}</p></footer>`;
}
