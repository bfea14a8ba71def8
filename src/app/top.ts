import type { Problem } from '../errors/problem.js';
import type { Host } from '../host/host.js';
import { KeptFiles } from '../host/kept-files.js';
import type { Clocks } from '../host/process-readings.js';
import type { TaskSearch } from '../task/gatherer.js';
import type { TaskView } from '../task/view.js';
import type { Sample, TaskMeters } from '../top/model.js';
import { Sampler } from '../top/sampler.js';
import { takeMoment, unknownUse } from './moment.js';
import type { SampleRecord } from './sample-record.js';
import { SampledTasks } from './sampled-task.js';
import { lookAtTasks, type StatusAnswer } from './status.js';

export interface TopOptions {
  /** TASK words; none means all active tasks. */
  readonly words: readonly string[];
  /** Also read the proportional set sizes. */
  readonly pss: boolean;
}

export interface TopPorts {
  readonly search: TaskSearch;
  /** The snapshot of this machine by which `search` has read the tasks. */
  readonly host: () => Host;
  readonly clocks: Clocks;
  /** How many processors the machine has. */
  readonly cores: number;
  readonly meters: TaskMeters;
  /** Where samples are kept; the first one, without rates, is not. */
  readonly record?: SampleRecord;
}

export interface TopAnswer {
  readonly sample: Sample;
  /** The tasks of the sample, in its order. */
  readonly views: readonly TaskView[];
  readonly problems: readonly Problem[];
  readonly exitCode: number;
  /** What to say if there is no task. */
  readonly notice?: string;
}

/** Measures what the active tasks of this host use, repeatedly. */
export class Top {
  readonly #options: TopOptions;
  readonly #ports: TopPorts;
  readonly #tasks = new SampledTasks();
  readonly #sampler: Sampler;
  readonly #files = new KeptFiles();

  constructor(options: TopOptions, ports: TopPorts) {
    this.#options = options;
    this.#ports = ports;
    this.#sampler = new Sampler(ports.cores);
  }

  /**
   * Looks at the tasks and their processes, and compares with the look before; the first look has no rates. Rejects with
   * NotFoundError if no word matches a task.
   */
  async look(): Promise<TopAnswer> {
    const { search, clocks, host, meters, record } = this.#ports;
    const { words, pss } = this.#options;
    const views: TaskView[] = [];
    const answer = await lookAtTasks({ words, only: 'active', failed: false }, search, (view) =>
      views.push(view),
    );
    const tasks = this.#tasks.of(views, host());
    const moment = takeMoment(tasks, { clocks, meters, pss, files: this.#files }, this.#sampler.last);
    const sample = this.#sampler.sample(moment);
    const problems = [...answer.problems, ...unknownUse(moment, 'details')];
    if (record !== undefined && sample.intervalMs > 0) {
      for (const problem of record.add(sample, problems, pss)) problems.push(problem);
    }
    return { sample, views, problems, exitCode: answer.exitCode, notice: noticeOf(answer, views, words) };
  }

  /** Closes what is kept open from look to look; another look may follow. */
  close(): void {
    this.#files.close();
  }
}

/** What to say if there is no active task. */
export function noticeOf(
  { roots, notice }: StatusAnswer,
  views: readonly TaskView[],
  words: readonly string[],
): string | undefined {
  if (views.length > 0) return undefined;
  if (roots.length === 0) return notice;
  return words.length === 0 ? 'No task is active.' : 'None of these tasks is active.';
}
