import { visible } from '../../text/escape.js';
import { jsonText } from '../../text/json.js';
import { size } from '../../text/size.js';
import type { TaskReport } from '../model.js';
import { fitting, type Room } from './fit.js';
import { bytesOf, type Html, html, made, markup } from './html.js';
import { count, milliseconds, shown, time } from './parts.js';
import { stateMark } from './state.js';

type ReportedTask = TaskReport['task'];
type ReportedProblem = ReportedTask['problems'][number];

/** Terms and what they are; those without a value are left out, and those for which there is no room. */
export function definitions(list: readonly (readonly [string, Html])[], room: Room): Html {
  const given = list.filter(([, value]) => value !== undefined && value !== false && value !== '');
  const fitted = fitting(
    given,
    ([term, value]) => markup(html`<div><dt>${term}</dt><dd>${value}</dd></div>`),
    room,
  );
  return made(fitted.text, 'dl');
}

/** What the task file asks for. */
export function resourcesText({ resources }: ReportedTask): readonly (readonly [string, string])[] {
  const { cpu, ram, disk, gpu } = resources ?? {};
  const all: [string, string | undefined][] = [
    ['CPU', cpu === undefined ? undefined : count(cpu, 'core')],
    ['Memory', ram === undefined ? undefined : size(ram)],
    ['Disk', disk === undefined ? undefined : size(disk)],
    ['GPU', gpu === undefined || gpu === 0 ? undefined : String(gpu)],
  ];
  return all.filter((each): each is [string, string] => each[1] !== undefined);
}

/** How many problems are above all else. */
const MOST_PROBLEMS_ON_TOP = 3;

/** What may make all else on the page untrue comes first. */
export function problemsOnTop({ problems }: ReportedTask, room: Room): Html {
  const errors = problems.filter(({ severity }) => severity === 'error');
  if (errors.length === 0) return undefined;
  const first = fitting(errors.slice(0, MOST_PROBLEMS_ON_TOP), (problem) => markup(problemOf(problem)), room);
  const rest = problems.length - Math.min(errors.length, MOST_PROBLEMS_ON_TOP) + first.left;
  return html`<section class="problems" aria-label="Problems">${made(first.text)}${rest > 0 && html`<p class="note"><a href="#problems">${count(rest, 'more problem')}</a></p>`}</section>`;
}

function problemOf({ code, message, severity, path, offset, hint }: ReportedProblem): Html {
  return html`<div class=${`problem ${severity}`}><p><strong>${severity === 'error' ? 'Error' : 'Warning'}</strong> ${shown(message)} <code class="note">${visible(code)}</code></p>${hint !== undefined && html`<p class="note">${shown(hint)}</p>`}${path !== undefined && html`<p class="note"><code>${shown(path)}</code>${offset === undefined ? '' : `, byte ${offset}`}</p>`}</div>`;
}

/** What is asked for, config, ports, header, statuses, problems: what is seldom looked for. */
export function detailsSection(report: TaskReport, room: Room): Html {
  const { task } = report;
  const resources = resourcesText(task);
  const ports = fitting(
    Object.entries(task.ports ?? {}),
    ([name, port]) =>
      markup(html`<tr><th scope="row">${shown(name, 200)}</th><td>${shown(String(port), 40)}</td></tr>`),
    room,
  );
  const statuses = fitting(
    task.statuses,
    ({ state, timestamp_ms, runner_pid }) =>
      markup(
        html`<tr><td>${stateMark(state ?? 'UNKNOWN')}</td><td>${time(milliseconds(timestamp_ms))}</td><td>${runner_pid === undefined ? '' : String(runner_pid)}</td></tr>`,
      ),
    room,
  );
  const problems = fitting(task.problems, (problem) => markup(problemOf(problem)), room);
  return html`<section class="details" aria-labelledby="details"><div class="head"><h2 id="details">Details</h2></div>
    <div class="cards">
      ${resources.length > 0 && html`<div><h3>Resources asked for</h3>${definitions(resources, room)}</div>`}
      <div><h3>Task</h3>${definitions(taskFacts(report), room)}</div>
      ${
        task.mesos !== undefined &&
        html`<div><h3>Mesos</h3>${definitions(
          [
            ['Agent', code(task.mesos.agent_id)],
            ['Framework', code(task.mesos.framework_id)],
            ['Executor', code(task.mesos.executor_id)],
            ['Container', code(task.mesos.container_id)],
          ],
          room,
        )}</div>`
      }
      ${ports.text !== '' && html`<div><h3>Ports</h3><table><thead><tr><th scope="col">Name</th><th scope="col">Port</th></tr></thead>${made(ports.text, 'tbody')}</table></div>`}
      ${statuses.text !== '' && html`<div><h3>States of the task</h3><table><thead><tr><th scope="col">State</th><th scope="col">Since</th><th scope="col">Runner</th></tr></thead>${made(statuses.text, 'tbody')}</table>${leftOutNote(statuses.left + (task.left_out?.statuses?.count ?? 0), 'status', 'statuses')}</div>`}
    </div>
    <h3>Paths</h3>${definitions(pathFacts(report), room)}
    ${problems.text !== '' && html`<h3 id="problems">Problems</h3>${made(problems.text)}${leftOutNote(problems.left, 'problem')}`}
    ${configOf(task, room)}
  </section>`;
}

function leftOutNote(left: number, one: string, many?: string): Html {
  return (
    left > 0 && html`<p class="note">${count(left, `more ${one}`, many && `more ${many}`)}, left out.</p>`
  );
}

function code(text: string | undefined): Html {
  return text === undefined ? undefined : html`<code>${shown(text)}</code>`;
}

function taskFacts({ task }: TaskReport): readonly (readonly [string, Html])[] {
  const { header, runner, launch_time_ms } = task;
  return [
    ['Name', task.name === task.task_id ? undefined : code(task.name)],
    ['Launched', launch_time_ms === undefined ? undefined : time(milliseconds(launch_time_ms))],
    [
      'User',
      task.user === undefined && task.uid === undefined
        ? undefined
        : shown(`${task.user ?? '-'} (uid ${task.uid ?? '-'})`, 200),
    ],
    [
      'Files owned by',
      task.owner === undefined || task.owner === task.user ? undefined : shown(task.owner, 200),
    ],
    ['Host', task.hostname && shown(task.hostname, 200)],
    ['Runner', runner?.pid === undefined ? undefined : `pid ${runner.pid}`],
    ['Header', header === null ? 'none was read' : undefined],
  ];
}

function pathFacts({ task }: TaskReport): readonly (readonly [string, Html])[] {
  return [
    ['Root', code(task.root)],
    ['Sandbox', code(task.sandbox)],
    ['Recorded as', code(task.recorded_sandbox)],
    ['Logs in', code(task.log_dir)],
    ['Recorded as', code(task.recorded_log_dir)],
  ];
}

function configOf({ task }: ReportedTask, room: Room): Html {
  if (task === null) return html`<p class="note">There is no task file.</p>`;
  const lines = JSON.stringify(task, null, 2).split('\n');
  const listed = fitting(lines, (line) => `${markup(shown(line))}\n`, room);
  return html`<details class="fold"><summary>Task file</summary><pre class="code" tabindex="0" role="region" aria-label="Task file"><code>${made(listed.text, 'span')}</code></pre>${leftOutNote(listed.left, 'line')}</details>`;
}

/** The whole document, to save; what is left of the page is for it. */
export function rawSection({ task }: TaskReport, room: Room): Html {
  // Escaped, it is longer still.
  const bytes = bytesOf(JSON.stringify(task));
  const text = bytes > room.left ? undefined : markup(jsonText(task));
  if (text === undefined || !room.take(text))
    return html`<p class="note">The data (${size(bytes)} as JSON) are not on this page, to keep it small: <code>thermos inspect --json</code> prints them.</p>`;
  return html`<details class="fold"><summary>Data of this page as JSON</summary><p class="tools" hidden><button type="button" data-save=${`${fileName(task.task_id)}.json`}>Save</button></p><pre class="code raw" id="data" tabindex="0" role="region" aria-label="JSON">${made(text, 'code')}</pre></details>`;
}

function fileName(id: string): string {
  return id.replace(/[^\w.-]+/g, '_').slice(0, 100);
}
