import { TICKS_PER_SECOND } from '../host/process-stat.js';
import { type CgroupUse, useBetween, useSinceMade } from './cgroup-use.js';
import { type Group, groupKey, type Members, membersOf, sameIn } from './members.js';
import type {
  CgroupReading,
  DiskReading,
  ProcessDetails,
  ProcessIdentity,
  ProcessReading,
  ProcessSample,
  Reading,
  RunAnchor,
  Sample,
  SampledTask,
  TaskSample,
  Usage,
} from './model.js';
import { usedBy } from './passed-on.js';

/** All that is known of one moment. */
export interface Moment {
  readonly reading: Reading;
  readonly tasks: readonly SampledTask[];
  readonly members: Members;
  /** Of members and coordinators, by pid. Those that ended before it could be read are absent. */
  readonly details: ReadonlyMap<number, ProcessDetails>;
  /** By the keys of tasks. */
  readonly cgroups: ReadonlyMap<string, CgroupReading>;
  readonly disks: ReadonlyMap<string, DiskReading>;
}

/** Makes a sample of each moment, against the one before. Without clock and files. */
export class Sampler {
  readonly #cores: number;
  #before: Moment | undefined;
  #owed: ReadonlyMap<string, Counters> = new Map();

  /** `cores`: those of the machine. More than that nothing can use. */
  constructor(cores: number) {
    this.#cores = cores;
  }

  /** The last moment. */
  get last(): Moment | undefined {
    return this.#before;
  }

  /** The first sample has no rates. */
  sample(now: Moment): Sample {
    const interval = new Interval(now, this.#before, this.#owed, this.#cores);
    const tasks = now.tasks.map((task) => interval.task(task));
    this.#before = now;
    this.#owed = interval.owed;
    return { timeMs: now.reading.timeMs, intervalMs: interval.milliseconds ?? 0, tasks };
  }
}

/** What passes from children to parents. */
interface Counters {
  readonly ticks: number;
  readonly readBytes: number;
  readonly writtenBytes: number;
}

const NOTHING: Counters = { ticks: 0, readBytes: 0, writtenBytes: 0 };

/** The processes of a run, and of a task whose runs cannot be distinguished. */
interface Tree {
  readonly group: Group;
  /** The run, if it has not ended. */
  readonly run?: RunAnchor;
  readonly coordinator?: ProcessIdentity;
  readonly now: ProcessReading[];
  readonly before: ProcessReading[];
}

class Interval {
  /** Undefined without a moment before. */
  readonly milliseconds: number | undefined;
  readonly owed = new Map<string, Counters>();
  readonly #now: Moment;
  readonly #before: Moment | undefined;
  readonly #owedBefore: ReadonlyMap<string, Counters>;
  readonly #cores: number;
  /** By the keys of tasks, and of groups. */
  readonly #trees = new Map<string, Map<string, Tree>>();
  /** When the last process of the moment before began. */
  readonly #newestBefore: number;
  /** By the pid of a parent, the children that have ended since the moment before. */
  readonly #goneChildren = new Map<number, ProcessReading[]>();

  constructor(
    now: Moment,
    before: Moment | undefined,
    owedBefore: ReadonlyMap<string, Counters>,
    cores: number,
  ) {
    this.#now = now;
    this.#before = before;
    this.#owedBefore = owedBefore;
    this.#cores = cores;
    const elapsed = before === undefined ? 0 : now.reading.atMs - before.reading.atMs;
    this.milliseconds = elapsed > 0 ? elapsed : undefined;
    for (const { key, runs } of now.tasks) {
      const trees = new Map<string, Tree>();
      for (const run of runs) {
        const group = { task: key, run: { process: run.process, run: run.run } };
        trees.set(groupKey(group), { group, run, coordinator: run.coordinator, now: [], before: [] });
      }
      this.#trees.set(key, trees);
    }
    this.#collect(now.members, now.reading, 'now');
    this.#newestBefore = 0;
    if (before === undefined) return;
    this.#collect(membersBefore(now, before), before.reading, 'before');
    for (const row of before.reading.processes.values()) {
      this.#newestBefore = Math.max(this.#newestBefore, row.startTimeTicks);
      if (sameIn(now.reading, row) !== undefined) continue;
      const siblings = this.#goneChildren.get(row.parent);
      if (siblings === undefined) this.#goneChildren.set(row.parent, [row]);
      else siblings.push(row);
    }
  }

  task(task: SampledTask): TaskSample {
    const used = [...(this.#trees.get(task.key)?.values() ?? [])].map((tree) => ({
      tree,
      usage: this.#usage(tree),
    }));
    const cgroup = this.#now.cgroups.get(task.key);
    const { throttledMs, throttledShare } = this.#cgroupUse(task);
    const processes = used.flatMap(({ tree: { group, run, now }, usage }): ProcessSample[] =>
      group.run === undefined || (run === undefined && now.length === 0)
        ? []
        : [{ ...group.run, pid: run?.pid, ...(isUnseen(task) ? {} : usage) }],
    );
    return {
      task,
      ...this.#taskUsage(task, used),
      processes,
      disk: this.#now.disks.get(task.key),
      throttledMs,
      throttledShare,
      oomKills: useSinceMade(cgroup).oomKills,
      pidsCount: cgroup?.pidsCount,
      limits: cgroup?.limits,
      pressure: cgroup?.pressure,
    };
  }

  #cgroupUse({ key }: SampledTask): CgroupUse {
    return useBetween(this.#before?.cgroups.get(key), this.#now.cgroups.get(key), this.milliseconds ?? 0);
  }

  #collect(members: Members, reading: Reading, when: 'now' | 'before'): void {
    for (const { pid, group } of members.values()) {
      const row = reading.processes.get(pid);
      const trees = this.#trees.get(group.task);
      if (row === undefined || trees === undefined) continue;
      const key = groupKey(group);
      let tree = trees.get(key);
      if (tree === undefined) {
        tree = { group, now: [], before: [] };
        trees.set(key, tree);
      }
      tree[when].push(row);
    }
  }

  #usage(tree: Tree): Usage {
    const details = tree.now
      .filter(({ state }) => !isZombie(state))
      .map(({ pid }) => this.#now.details.get(pid));
    // Those of which there are none have ended meanwhile.
    const alive = details.filter((each) => each !== undefined);
    const present = tree.now.filter(({ pid, state }) => !isZombie(state) && this.#now.details.has(pid));
    return {
      ...this.#rates(tree),
      rssBytes: total(alive.map(({ rssBytes }) => rssBytes)),
      pssBytes: total(alive.map(({ pssBytes }) => pssBytes)),
      fds: total(alive.map(({ fds }) => fds)),
      threads: total(present.map(({ threads }) => threads)),
      pids: present.length,
    };
  }

  #rates(tree: Tree): Pick<Usage, 'cpu' | 'readBytes' | 'writtenBytes'> {
    const { milliseconds } = this;
    if (milliseconds === undefined) return {};
    const key = groupKey(tree.group);
    const owed = this.#owedBefore.get(key) ?? NOTHING;
    const coordinator = sameIn(this.#now.reading, tree.coordinator);
    let own = 0;
    let taken = coordinator === undefined ? 0 : this.#ticksOf(coordinator).taken;
    for (const row of tree.now) {
      const ticks = this.#ticksOf(row);
      own += (ticks.own * 1000) / TICKS_PER_SECOND / ticks.milliseconds;
      taken += ticks.taken;
    }
    const gone = tree.before.filter((row) => sameIn(this.#now.reading, row) === undefined);
    const ticks = usedBy({ taken, gone: sumOf(gone.map(allTicks)), owed: owed.ticks });
    const families = coordinator === undefined ? tree.now : [coordinator, ...tree.now];
    const read = this.#bytes('readBytes', families, gone, owed);
    const written = this.#bytes('writtenBytes', families, gone, owed);
    this.owed.set(key, { ticks: ticks.owed, readBytes: read.owed, writtenBytes: written.owed });
    return {
      cpu: own + coresOf(ticks.used, milliseconds),
      readBytes: read.used,
      writtenBytes: written.used,
    };
  }

  /** What the process used in the interval, and took over from its children. */
  #ticksOf(row: ProcessReading): { own: number; taken: number; milliseconds: number } {
    const milliseconds = this.milliseconds as number;
    const before = this.#before && sameIn(this.#before.reading, row);
    if (before !== undefined) {
      const elapsed = row.atMs - before.atMs;
      return {
        own: Math.max(0, row.ownTicks - before.ownTicks),
        taken: Math.max(0, row.childTicks - before.childTicks),
        milliseconds: elapsed > 0 ? elapsed : milliseconds,
      };
    }
    // Nobody knows what an older one had used before.
    const isNew = row.startTimeTicks >= this.#newestBefore;
    return { own: isNew ? row.ownTicks : 0, taken: isNew ? row.childTicks : 0, milliseconds };
  }

  /** Undefined as soon as it is unknown for one of the processes. */
  #bytes(
    name: 'readBytes' | 'writtenBytes',
    rows: readonly ProcessReading[],
    gone: readonly ProcessReading[],
    owed: Counters,
  ): { used: number | undefined; owed: number } {
    const before = this.#before as Moment;
    const earlier = (row: ProcessReading) => before.details.get(row.pid)?.[name] ?? 0;
    let taken = 0;
    let ended = sumOf(gone.map(earlier));
    let isKnown = true;
    for (const row of rows) {
      const details = this.#now.details.get(row.pid);
      const isOld = sameIn(before.reading, row) !== undefined;
      if (details === undefined || (details[name] === undefined && isZombie(row.state))) {
        if (isOld) ended += earlier(row);
      } else {
        const [bytes, bytesBefore] = [details[name], isOld ? before.details.get(row.pid)?.[name] : 0];
        const isUnknown = bytes === undefined || bytesBefore === undefined;
        if (isUnknown || (!isOld && row.startTimeTicks < this.#newestBefore)) isKnown = false;
        else taken += Math.max(0, bytes - bytesBefore);
      }
    }
    const result = usedBy({ taken, gone: ended, owed: owed[name] });
    return { used: isKnown ? result.used : undefined, owed: result.owed };
  }

  #taskUsage(task: SampledTask, used: readonly { tree: Tree; usage: Usage }[]): Usage {
    const { milliseconds } = this;
    const cgroup = this.#now.cgroups.get(task.key);
    const usages = used.map(({ usage }) => usage);
    const sums: Usage = {
      rssBytes: total(usages.map(({ rssBytes }) => rssBytes)),
      pssBytes: total(usages.map(({ pssBytes }) => pssBytes)),
      fds: total(usages.map(({ fds }) => fds)),
      threads: total(usages.map(({ threads }) => threads)),
      pids: total(usages.map(({ pids }) => pids)),
      ...(milliseconds === undefined
        ? {}
        : {
            readBytes: total(usages.map(({ readBytes }) => readBytes)),
            writtenBytes: total(usages.map(({ writtenBytes }) => writtenBytes)),
          }),
    };
    if (isUnseen(task) && cgroup === undefined) return {};
    if (task.isForeign) return { ...sums, cpu: this.#cgroupUse(task).cpu };
    if (milliseconds === undefined) return sums;
    const running = total(usages.map(({ cpu }) => cpu));
    const cpu =
      running === undefined ? undefined : running + coresOf(this.#endedTicks(task, used), milliseconds);
    return { ...sums, cpu: cpu !== undefined && this.#isPossible(cpu, sums.pids ?? 0) ? cpu : undefined };
  }

  /** What runs that are over used in the interval: the runner waited for their coordinators. */
  #endedTicks(task: SampledTask, used: readonly { tree: Tree }[]): number {
    const runner = sameIn(this.#now.reading, task.runner);
    const wasSampled = this.#before?.tasks.some(({ key }) => key === task.key);
    if (runner === undefined || !wasSampled) return 0;
    let gone = sumOf((this.#goneChildren.get(runner.pid) ?? []).map(allTicks));
    for (const { tree } of used) {
      const key = groupKey(tree.group);
      const left = this.owed.get(key);
      if (left === undefined || sameIn(this.#now.reading, tree.coordinator) !== undefined) continue;
      gone += left.ticks;
      this.owed.set(key, { ...left, ticks: 0 });
    }
    const { taken } = this.#ticksOf(runner);
    const result = usedBy({ taken, gone, owed: (this.#owedBefore.get(task.key) ?? NOTHING).ticks });
    this.owed.set(task.key, { ...NOTHING, ticks: result.owed });
    return result.used;
  }

  /** Each process may have used a tick more than the interval is long: the kernel counts in whole ones. */
  #isPossible(cpu: number, pids: number): boolean {
    const slack = coresOf(pids + 2, this.milliseconds as number);
    return cpu <= this.#cores * 1.05 + slack;
  }
}

/** With those of runs that only the moment now knows: they had processes before, too. */
function membersBefore(now: Moment, before: Moment): Members {
  const beginnings = (tasks: readonly SampledTask[]) =>
    tasks.flatMap(({ key, runs }) =>
      runs.map(({ coordinator, command }) => `${key} ${coordinator?.pid} ${command?.pid}`),
    );
  const known = new Set(beginnings(before.tasks));
  if (beginnings(now.tasks).every((each) => known.has(each))) return before.members;
  return membersOf(before.reading, now.tasks, before.members.values());
}

/** Its pids say nothing here. */
function isUnseen({ isForeign, isHidden }: SampledTask): boolean {
  return isForeign || isHidden;
}

function isZombie(state: string): boolean {
  return state === 'Z' || state === 'X';
}

function allTicks({ ownTicks, childTicks }: ProcessReading): number {
  return ownTicks + childTicks;
}

function coresOf(ticks: number, milliseconds: number): number {
  return (ticks * 1000) / TICKS_PER_SECOND / milliseconds;
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}

/** Undefined as soon as one of the numbers is. */
function total(numbers: readonly (number | undefined)[]): number | undefined {
  const known = numbers.filter((number) => number !== undefined);
  return known.length < numbers.length ? undefined : sumOf(known);
}
