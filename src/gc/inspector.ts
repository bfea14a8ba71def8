import type { Stats } from 'node:fs';
import { describeErrno } from '../errors/errors.js';
import { LAYOUTS } from '../layout/layouts.js';
import { isSameMark, SANDBOX_MARK, type SandboxMark } from '../layout/sandbox-mark.js';
import { pathsOf } from '../layout/task-paths.js';
import { readSandboxMark, sandboxMarkOf } from '../lifecycle/sandbox-mark.js';
import { Directories } from '../store/directories.js';
import { listDirectory } from '../store/list.js';
import { statFile } from '../store/look.js';
import { bytesOf } from '../store/walk.js';
import type { Kept, PlanInspector, TopStat } from './actions.js';
import { canonical, ON_DISK, PathCache } from './canonical.js';
import { type EvidenceReader, evidenceOf, type Question, type ShownEvidence } from './evidence.js';
import { type GuardContext, type Item, type Objection, objection } from './guards.js';
import type { Machine } from './machine.js';
import { type LinkCounts, type Measure, type MeasureOptions, measure } from './measure.js';
import { executorAlive, runDirAround } from './mesos.js';
import { OtherRoots } from './other-roots.js';
import { lstat, type Subject } from './subject.js';
import type { Wording } from './words.js';

export interface InspectorOptions {
  includeMesos: boolean;
  /** Sandboxes that the user named, without links. */
  confirmed: ReadonlySet<string>;
  words: Pick<Wording, 'timestamp'>;
}

/** The context of the guards, from the state of the machine. */
export function guardContext({
  host,
  protectedPaths,
  claims,
  newcomer,
  knownRoots,
  usage,
}: Machine): GuardContext {
  const others = new OtherRoots(knownRoots);
  return { euid: host.euid, protectedPaths, claims, newcomer, others, usage };
}

type LookAt = (path: string) => Stats | undefined;

/** Finds evidence of ownership on disk. */
export class EvidenceOnDisk {
  readonly #euid: number;
  readonly #confirmed: ReadonlySet<string>;
  readonly #look: LookAt;
  readonly #ownMarks = new Map<string, SandboxMark | undefined>();

  constructor(euid: number, confirmed: ReadonlySet<string>, look: LookAt = lstat) {
    this.#euid = euid;
    this.#confirmed = confirmed;
    this.#look = look;
  }

  shown(question: Question, { root, task_id }: Pick<Subject, 'root' | 'task_id'>): ShownEvidence {
    const reader: EvidenceReader = {
      euid: this.#euid,
      confirmed: this.#confirmed,
      ownMark: () => this.ownMark(root, task_id),
      // Most have none, and opening costs more than a stat.
      mark: (directory) =>
        this.#look(`${directory}/${SANDBOX_MARK}`) === undefined ? undefined : readSandboxMark(directory),
      owner: (directory) => this.#look(directory)?.uid,
      isFile: (path) => this.#look(path)?.isFile() === true,
      isEmpty,
      isThere,
    };
    return evidenceOf(question, reader);
  }

  /** The mark expected in a sandbox of the task. The properties of its root are read once. */
  ownMark(root: string, taskId: string): SandboxMark | undefined {
    if (!this.#ownMarks.has(root)) this.#ownMarks.set(root, sandboxMarkOf({ root, taskId }));
    const mark = this.#ownMarks.get(root);
    return mark && { ...mark, task_id: taskId };
  }
}

function isEmpty(directory: string): boolean {
  try {
    return listDirectory(directory, { max: 1 }).entries.length === 0;
  } catch {
    return false;
  }
}

/** Is the root that a mark names still the same, and does it have a task of this id? */
function isThere(mark: SandboxMark): boolean {
  const now = sandboxMarkOf({ root: mark.root, taskId: mark.task_id });
  if (now === undefined || !isSameMark(now, mark)) return false;
  const { directory, active, finished } = pathsOf({ root: mark.root, taskId: mark.task_id });
  return [directory, active, finished].some((path) => lstat(path) !== undefined);
}

/** How many paths a planning remembers: those of one task. */
const MOST_LOOKS = 64;

/** The stats of paths in the plan of a task, which asks for some of them several times. */
class RecentLooks {
  readonly #found = new Map<string, Stats | undefined>();

  /** Undefined if it does not exist. Throws system errors. */
  stat(path: string): Stats | undefined {
    const known = this.#found.get(path);
    if (known !== undefined || this.#found.has(path)) return known;
    const stat = statFile(path);
    if (this.#found.size >= MOST_LOOKS) this.#found.clear();
    this.#found.set(path, stat);
    return stat;
  }

  /** Undefined also if it is not accessible. */
  readonly lstat: LookAt = (path) => {
    try {
      return this.stat(path);
    } catch {
      return undefined;
    }
  };
}

/** Answers the questions of one planning from this machine. */
export class HostInspector implements PlanInspector {
  readonly #machine: Machine;
  readonly #options: InspectorOptions;
  readonly #context: GuardContext;
  readonly #evidence: EvidenceOnDisk;
  readonly #looks = new RecentLooks();
  readonly #pathCache = new PathCache({ ...ON_DISK, stat: (path) => this.#looks.stat(path) });
  readonly #links: LinkCounts = new Map();
  readonly #directories = new Directories();

  constructor(machine: Machine, options: InspectorOptions) {
    this.#machine = machine;
    this.#options = options;
    this.#context = guardContext(machine);
    this.#evidence = new EvidenceOnDisk(machine.host.euid, options.confirmed, this.#looks.lstat);
  }

  close(): void {
    this.#directories.close();
  }

  place(path: string, subject: Subject): { path: string } | { refused: string } | undefined {
    const found = canonical(path, this.#machine.host.euid, subject.bases, this.#pathCache);
    if ('absent' in found) return undefined;
    const { runDirPath } = subject;
    if ('path' in found && runDirPath !== undefined && !found.path.startsWith(`${runDirPath}/`)) {
      return { refused: "it is not in its executor's run directory" };
    }
    return found;
  }

  top(path: string): TopStat | undefined {
    const stat = this.#looks.lstat(path);
    return stat && { dev: stat.dev, ino: stat.ino, uid: stat.uid, isDirectory: stat.isDirectory() };
  }

  shown(question: Question, subject: Subject): ShownEvidence {
    return this.#evidence.shown(question, subject);
  }

  object(item: Item): Objection | undefined {
    return objection('plan', item, this.#context);
  }

  measure(directory: string, name: string, options: Omit<MeasureOptions, 'links'>): Measure | undefined {
    const fd = this.#directories.fdWithoutLinks(directory);
    return measure(fd, bytesOf(name), { ...options, links: this.#links });
  }

  isAgents(path: string, { layout }: Subject): boolean {
    return LAYOUTS[layout].ownsSandboxes || runDirAround(path) !== undefined;
  }

  keptWhole(subject: Subject): Kept | undefined {
    if (subject.locked === true) return kept('its runner is alive');
    if (subject.leftovers.length > 0)
      return kept(`its processes are still alive: ${subject.leftovers.join(', ')}`);
    if (!LAYOUTS[subject.layout].ownsSandboxes || subject.runDir === undefined) return undefined;
    const alive = this.#executorAlive(subject.runDir);
    if (this.#options.includeMesos) {
      if (alive === false) return undefined;
      return kept(alive ? 'its executor is alive' : 'cannot determine whether its executor is alive');
    }
    if (alive !== false) return kept('the Mesos agent removes it after its executor has ended');
    const expected = this.#machine.forecast(subject.runDir);
    if (expected === undefined) return kept('the Mesos agent removes it');
    const at = this.#options.words.timestamp(expected.at);
    const when = expected.pressed ? 'within a minute, because its disk is full' : `at ${at}`;
    return kept(`the Mesos agent removes it ${when}`);
  }

  keptInTree(path: string, { layout }: Subject): Kept | undefined {
    if (LAYOUTS[layout].ownsSandboxes) return undefined;
    if (!this.#options.includeMesos) return kept('it belongs to the Mesos agent');
    const runDir = runDirAround(path);
    const alive = runDir === undefined ? undefined : this.#executorAlive(runDir);
    return alive === false ? undefined : kept('its executor may be alive');
  }

  describe(error: unknown): string {
    return describeErrno(error);
  }

  #executorAlive(runDir: string): boolean | undefined {
    const { host, usage, bootId } = this.#machine;
    return executorAlive(runDir, host, usage, bootId);
  }
}

function kept(why: string): Kept {
  return { verdict: 'kept', why };
}
