import type { Problem } from '../errors/problem.js';
import type { Host } from '../host/host.js';
import { type ProcessDetails, readDetails } from '../host/process-details.js';
import { type Clocks, type Reading, readProcesses } from '../host/process-readings.js';
import type { TaskSearch } from '../task/gatherer.js';
import type { TaskView } from '../task/view.js';
import { type Member, type Members, membersOf, sameIn } from '../top/members.js';
import type { CgroupReading, DiskReading, Sample, SampledTask, TaskMeters } from '../top/model.js';
import { Sampler } from '../top/sampler.js';
import { SampledTasks } from './sampled-task.js';
import { firstOf } from './search.js';
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
    const { search, clocks, host, meters, cores: _ } = this.#ports;
    const { words, pss } = this.#options;
    const views: TaskView[] = [];
    const answer = await lookAtTasks({ words, only: 'active', failed: false }, search, (view) =>
      views.push(view),
    );
    const tasks = this.#tasks.of(views, host());
    const reading = readProcesses(clocks, this.#sampler.last?.reading);
    const cgroupOf = meters.cgroups?.(reading, tasks) ?? (() => undefined);
    const cgroups = new Map<string, CgroupReading>();
    const disks = new Map<string, DiskReading>();
    const put = <T>(map: Map<string, T>, { key }: SampledTask, value: T | undefined) => {
      if (value !== undefined) map.set(key, value);
    };
    const known: Member[] = [...(this.#sampler.last?.members.values() ?? [])];
    for (const task of tasks) {
      put(disks, task, meters.disk?.(task));
      if (!task.isForeign) continue;
      const cgroup = cgroupOf(task, []);
      put(cgroups, task, cgroup);
      for (const pid of cgroup?.pids ?? []) {
        const startTimeTicks = reading.processes.get(pid)?.startTimeTicks;
        if (startTimeTicks !== undefined) known.push({ pid, startTimeTicks, group: { task: task.key } });
      }
    }
    const members = membersOf(reading, tasks, known);
    const pids = pidsOf(members);
    for (const task of tasks) {
      if (!task.isForeign) put(cgroups, task, cgroupOf(task, pids.get(task.key) ?? []));
    }
    const details = detailsOf(reading, tasks, members, pss);
    const sample = this.#sampler.sample({ reading, tasks, members, details, cgroups, disks });
    const problems = [...answer.problems, ...unknownUse(tasks, cgroups, members, details)];
    return { sample, views, problems, exitCode: answer.exitCode, notice: noticeOf(answer, views, words) };
  }
}

function noticeOf(
  { roots, notice }: StatusAnswer,
  views: readonly TaskView[],
  words: readonly string[],
): string | undefined {
  if (views.length > 0) return undefined;
  if (roots.length === 0) return notice;
  return words.length === 0 ? 'No task is active.' : 'None of these tasks is active.';
}

function pidsOf(members: Members): ReadonlyMap<string, number[]> {
  const pids = new Map<string, number[]>();
  for (const { pid, group } of members.values()) {
    const ofTask = pids.get(group.task);
    if (ofTask === undefined) pids.set(group.task, [pid]);
    else ofTask.push(pid);
  }
  return pids;
}

/** Parents are read before their children, as in `readProcesses`. */
function detailsOf(
  reading: Reading,
  tasks: readonly SampledTask[],
  members: Members,
  pss: boolean,
): ReadonlyMap<number, ProcessDetails> {
  const coordinators = tasks.flatMap(({ runs }) => runs.flatMap(({ coordinator }) => coordinator ?? []));
  const identities = [
    ...coordinators.filter((each) => sameIn(reading, each) !== undefined),
    ...members.values(),
  ];
  identities.sort((a, b) => a.startTimeTicks - b.startTimeTicks || a.pid - b.pid);
  const details = new Map<number, ProcessDetails>();
  for (const { pid } of identities) {
    const found = readDetails(pid, pss);
    if (found !== undefined) details.set(pid, found);
  }
  return details;
}

const HIDDEN = 'what it uses is not known, because /proc hides its processes';
const FOREIGN = 'what it uses is not known, because its processes are in another pid namespace';
const CLOSED = 'reads and writes are not known, because its processes belong to another user';

/** One problem for each reason that something of a task is not known. */
function unknownUse(
  tasks: readonly SampledTask[],
  cgroups: ReadonlyMap<string, CgroupReading>,
  members: Members,
  details: ReadonlyMap<number, ProcessDetails>,
): Problem[] {
  const closed = new Set<string>();
  for (const { pid, group } of members.values()) {
    const found = details.get(pid);
    if (found !== undefined && found.readBytes === undefined) closed.add(group.task);
  }
  const reasonOf = ({ key, isForeign, isHidden }: SampledTask) => {
    if (isForeign && !cgroups.has(key)) return FOREIGN;
    if (isHidden) return HIDDEN;
    return closed.has(key) ? CLOSED : undefined;
  };
  const byReason = new Map<string, string[]>();
  for (const task of tasks) {
    const reason = reasonOf(task);
    if (reason !== undefined) byReason.set(reason, [...(byReason.get(reason) ?? []), task.task_id]);
  }
  return [...byReason].map(
    ([reason, ids]): Problem => ({
      code: 'use-unknown',
      severity: 'warning',
      message: `${firstOf(ids)}: ${reason}`,
      task_id: ids.length === 1 ? ids[0] : undefined,
    }),
  );
}
