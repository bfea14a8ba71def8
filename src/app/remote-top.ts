import { isTerminalProcessState } from '../checkpoint/records.js';
import type { Problem } from '../errors/problem.js';
import type { TaskSearch } from '../task/gatherer.js';
import type { TaskView } from '../task/view.js';
import { type ContainerReading, ContainerSampler } from '../top/containers.js';
import type { SampledTask } from '../top/model.js';
import type { SampleRecord } from './sample-record.js';
import { launchTimeOf } from './sampled-task.js';
import { lookAtTasks } from './status.js';
import { noticeOf, type TopAnswer, type TopOptions } from './top.js';

export interface RemoteTopPorts {
  readonly search: TaskSearch;
  /** What the containers of these tasks have used so far, by their checkpoint directories. */
  uses(
    views: readonly TaskView[],
  ): Promise<{ readings: ReadonlyMap<string, ContainerReading>; problems: readonly Problem[] }>;
  /** The time of day, and the monotonic clock, in milliseconds. */
  readonly clocks: { now(): number; monotonic(): number };
  /** Where samples are kept; the first one, without rates, is not. */
  readonly record?: SampleRecord;
}

/** Measures what the active tasks of agents use, repeatedly, from what the agents report about their containers. */
export class RemoteTop {
  readonly #words: TopOptions['words'];
  readonly #ports: RemoteTopPorts;
  readonly #sampler = new ContainerSampler();

  constructor({ words }: Pick<TopOptions, 'words'>, ports: RemoteTopPorts) {
    this.#words = words;
    this.#ports = ports;
  }

  /** As `Top.look`. */
  async look(): Promise<TopAnswer> {
    const { search, uses, clocks, record } = this.#ports;
    const views: TaskView[] = [];
    const query = { words: this.#words, only: 'active', failed: false };
    const answer = await lookAtTasks(query, search, (view) => views.push(view));
    const { readings, problems } = await uses(views);
    const moment = { timeMs: clocks.now(), monotonicMs: clocks.monotonic() };
    const sample = this.#sampler.sample({ ...moment, tasks: views.map(sampledTask), readings });
    const found = [...answer.problems, ...problems];
    if (record !== undefined && sample.intervalMs > 0) {
      for (const problem of record.add(sample, found, false)) found.push(problem);
    }
    return {
      sample,
      views,
      problems: found,
      exitCode: answer.exitCode,
      notice: noticeOf(answer, views, this.#words),
    };
  }
}

/** The pids of its processes are those of another host. */
function sampledTask(view: TaskView): SampledTask {
  const { found, task_id, root, config, mesos, processes } = view;
  const { cpu, ram, disk } = config?.resources ?? {};
  return {
    key: found.checkpoint_dir,
    task_id,
    root: root.path,
    launchTimeMs: launchTimeOf(view),
    agent: root.agent,
    asked: { cpu, ram, disk },
    runs: processes
      .filter(({ state, runs }) => runs > 0 && !isTerminalProcessState(state))
      .map(({ process, runs, pid }) => ({ process, run: runs - 1, pid })),
    isForeign: true,
    isHidden: false,
    container_id: mesos?.container_id,
  };
}
