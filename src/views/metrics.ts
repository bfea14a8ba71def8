import { PROCESS_STATES, TASK_STATES } from '../checkpoint/records.js';
import type { Severity } from '../errors/codes.js';
import { VERDICTS } from '../task/verdict.js';
import type { TaskView } from '../task/view.js';
import { visible } from '../text/escape.js';

export interface MetricsOptions {
  /** Also series for each task: as many as there are tasks. */
  perTask: boolean;
}

/** What is known when the last task has been read. */
export interface Scrape {
  version: string;
  roots: number;
  problems: readonly { severity: Severity }[];
  durationMs: number;
}

type Labels = Readonly<Record<string, string>>;
type MetricSample = readonly [labels: Labels, value: number];

/** A state without a name is not known either. */
const STATES = [...TASK_STATES, 'UNKNOWN'] as const;

/**
 * The tasks of a host as metrics for Prometheus, in its text format. Series for states and verdicts are there from the
 * beginning, with 0; their number does not depend on the tasks. Of the tasks only numbers are kept.
 */
export class Metrics {
  readonly #perTask: boolean;
  /** By state and verdict. */
  readonly #tasks = new Map<string, number>();
  readonly #since = new Map<string, { oldest: number; newest: number }>();
  readonly #processes = new Map<string, number>();
  #failedRuns = 0;
  /** Seconds since the epoch. */
  #oldestChange: number | undefined;
  readonly #ofTasks: { since: MetricSample[]; failedRuns: MetricSample[] } = { since: [], failedRuns: [] };

  constructor({ perTask }: MetricsOptions) {
    this.#perTask = perTask;
  }

  add(view: TaskView): void {
    const state = stateOf(view);
    const key = `${state} ${view.verdict}`;
    this.#tasks.set(key, (this.#tasks.get(key) ?? 0) + 1);
    const since = seconds(view.state_timestamp_ms);
    if (since !== undefined) {
      const { oldest = since, newest = since } = this.#since.get(state) ?? {};
      this.#since.set(state, { oldest: Math.min(oldest, since), newest: Math.max(newest, since) });
    }
    let failedRuns = 0;
    for (const process of view.processes) {
      failedRuns += process.failures;
      if (view.phase !== 'active') continue;
      const name = String(process.state);
      this.#processes.set(name, (this.#processes.get(name) ?? 0) + 1);
    }
    this.#failedRuns += failedRuns;
    const change = view.phase === 'active' ? seconds(view.silent_since_ms) : undefined;
    if (change !== undefined) this.#oldestChange = Math.min(this.#oldestChange ?? change, change);
    if (this.#perTask) this.#addTask(view, since, failedRuns);
  }

  #addTask(view: TaskView, since: number | undefined, failedRuns: number): void {
    const { task_id, root, user = '', name = '', verdict } = view;
    const labels = { task_id, root: root.path };
    const all = { ...labels, user, name, state: stateOf(view), verdict };
    if (since !== undefined) this.#ofTasks.since.push([all, since]);
    this.#ofTasks.failedRuns.push([labels, failedRuns]);
  }

  /** The whole text. */
  text({ version, roots, problems, durationMs }: Scrape): string {
    const severities = ['error', 'warning'] as const;
    const ofState = (end: 'oldest' | 'newest') =>
      STATES.flatMap((state): MetricSample[] => {
        const since = this.#since.get(state);
        return since === undefined ? [] : [[{ state }, since[end]]];
      });
    return [
      metric('thermos_build_info', 'The version of the thermos that wrote these metrics.', [
        [{ version }, 1],
      ]),
      metric(
        'thermos_tasks',
        'Tasks by the state that their streams record, and by how that compares with this host.',
        STATES.flatMap((state) =>
          VERDICTS.map(
            (verdict): MetricSample => [{ state, verdict }, this.#tasks.get(`${state} ${verdict}`) ?? 0],
          ),
        ),
      ),
      metric(
        'thermos_task_state_oldest_timestamp_seconds',
        'When the task that has been longest in this state entered it.',
        ofState('oldest'),
      ),
      metric(
        'thermos_task_state_newest_timestamp_seconds',
        'When the last task entered this state.',
        ofState('newest'),
      ),
      metric(
        'thermos_active_processes',
        'Processes of active tasks by the state of their latest run.',
        PROCESS_STATES.map((state): MetricSample => [{ state }, this.#processes.get(state) ?? 0]),
      ),
      metric('thermos_failed_runs', 'Failed runs of the processes of all tasks that are on disk.', [
        [{}, this.#failedRuns],
      ]),
      metric(
        'thermos_active_checkpoint_oldest_change_timestamp_seconds',
        'When the checkpoint of the active task that has been silent for longest was last written or touched.',
        this.#oldestChange === undefined ? [] : [[{}, this.#oldestChange]],
      ),
      metric('thermos_task_state_timestamp_seconds', 'When the task entered its state.', this.#ofTasks.since),
      metric(
        'thermos_task_failed_runs',
        'Failed runs of the processes of the task.',
        this.#ofTasks.failedRuns,
      ),
      metric('thermos_roots', 'Task roots that were searched.', [[{}, roots]]),
      metric(
        'thermos_scrape_problems',
        'What could not be read, or is wrong; an error means that these metrics are not complete.',
        severities.map(
          (severity): MetricSample => [
            { severity },
            problems.filter((problem) => problem.severity === severity).length,
          ],
        ),
      ),
      metric('thermos_scrape_duration_seconds', 'How long it took to read all tasks.', [
        [{}, Math.max(0, durationMs) / 1000],
      ]),
    ].join('');
  }
}

function stateOf({ state }: TaskView): (typeof STATES)[number] {
  return STATES.find((each) => each === state) ?? 'UNKNOWN';
}

function seconds(milliseconds: number | bigint | undefined): number | undefined {
  const value = Number(milliseconds ?? Number.NaN) / 1000;
  return Number.isFinite(value) ? value : undefined;
}

/** The lines of a metric; none without samples. All are gauges: `gc` makes them smaller. */
function metric(name: string, help: string, samples: readonly MetricSample[]): string {
  if (samples.length === 0) return '';
  const lines = samples.map(([labels, value]) => `${name}${labelsText(labels)} ${value}\n`);
  return `# HELP ${name} ${help}\n# TYPE ${name} gauge\n${lines.join('')}`;
}

function labelsText(labels: Labels): string {
  const parts = Object.entries(labels).map(([name, value]) => `${name}="${labelValue(value)}"`);
  return parts.length === 0 ? '' : `{${parts.join(',')}}`;
}

/**
 * What is invisible is shown as everywhere, but a backslash of the text itself is doubled, because two names must not
 * become one: two equal series would make the whole file wrong. A backslash and a quote are what the format escapes.
 */
function labelValue(text: string): string {
  return visible(text.replaceAll('\\', '\\\\')).replaceAll('\\', '\\\\').replaceAll('"', '\\"');
}
