import type { Damage } from '../checkpoint/framing.js';
import { isTerminalProcessState, isTerminalTaskState } from '../checkpoint/records.js';
import { type CheckpointState, Replay } from '../checkpoint/replay.js';
import type { FoundTask } from '../discovery/found.js';
import { type LocatedPaths, locatePaths, type RecordedPaths } from '../discovery/relocate.js';
import type { Problem } from '../errors/problem.js';
import { MOST_REASONS_BYTES, parseReasons, REASONS, type Reason } from '../layout/reasons.js';
import { type Phase, phasePath } from '../layout/root-paths.js';
import { coordinatorName, processOfName, RUNNER } from '../layout/task-paths.js';
import { isWithin, nameOf, parentOf } from '../store/paths.js';
import { damagedCheckpoint, notStarted, unreadableCheckpoint } from '../task/checkpoint-problems.js';
import type { RunnerLiveness } from '../task/liveness.js';
import type { Material } from '../task/material.js';
import { MAX_TASK_FILE_BYTES, parseTaskFile, type TaskConfig } from '../task/task-file.js';
import { type TaskView, viewOf } from '../task/view.js';
import type { RemoteEntry } from './answers.js';
import { RemoteStream, type Unread } from './remote-stream.js';
import type { Listed, Sandbox } from './sandbox.js';

/** Of a path that is not there, as the code for this host knows it. */
const ABSENT = { code: 'ENOENT' };

/** `probably`: a place in the sandbox that the stream names is where it says. */
type Locates = 'not' | 'probably' | 'surely';

/**
 * Reads a task in a sandbox as a view, from its agent, repeatedly if needed: later calls read only what was appended
 * since. What the host alone knows is left out: whether pids are alive, when it booted. Never rejects.
 */
export class RemoteTask {
  readonly #history: boolean;
  readonly #locates: Locates;
  #replay!: Replay;
  #stream!: RemoteStream;
  /** The streams of coordinators are in the state, so the runner's own must be read from its start again. */
  #merged = false;
  /** Of the listing with which the stream was read. */
  #seen: string | undefined;
  #config: { of: string; config?: TaskConfig; problem?: Problem } | undefined;

  /**
   * `history`: all statuses and runs, for one task; else only the latest, for many. `locates`: says where sandbox and logs
   * are; with `surely`, the agent is asked, which takes a few more calls.
   */
  constructor(
    readonly found: FoundTask,
    { history, locates = history ? 'surely' : 'not' }: { history: boolean; locates?: Locates },
  ) {
    this.#history = history;
    this.#locates = locates;
    this.#restart();
  }

  #restart(): void {
    this.#replay = new Replay({ history: this.#history });
    this.#stream = new RemoteStream(`${this.found.checkpoint_dir}/${RUNNER}`, this.#replay);
    this.#merged = false;
    this.#seen = undefined;
  }

  /** `found`: as found again. `running`: whether the agent still runs the executor; undefined if it does not say. */
  async read(sandbox: Sandbox, found: FoundTask, running: boolean | undefined): Promise<TaskView> {
    return viewOf(await this.#material(sandbox, found, running));
  }

  /**
   * As `read`, by two calls at first and one later: the stream, and the task file where it probably is, which shows the
   * phase. Undefined if that does not say enough. Who owns the stream and when it was written is left out.
   */
  async glance(sandbox: Sandbox, phase: Phase, running: boolean): Promise<TaskView | undefined> {
    const { root, task_id } = this.found;
    const task_file = `${phasePath(root.path, phase)}/${task_id}`;
    const isKnown = this.#config?.of === task_file;
    if (this.#merged || this.#replay.damage !== undefined) this.#restart();
    const [{ damage, unread: why }, bytes] = await Promise.all([
      this.#stream.refresh(sandbox),
      isKnown ? undefined : sandbox.readAll(task_file, MAX_TASK_FILE_BYTES),
    ]);
    if (why !== undefined || (!isKnown && bytes === undefined)) return undefined;
    if (bytes !== undefined) {
      this.#config = { of: task_file, ...parseTaskFile(bytes.toString('utf8'), task_file) };
    }
    const state = this.#replay.state();
    const over = isTerminalTaskState(state.statuses.at(-1)?.state);
    // What coordinators have, and where the file of a task that ended is, takes a closer look.
    if ((!over && !running) || (over && phase === 'active')) return undefined;
    const found: FoundTask = { ...this.found, phase, task_file, problems: [] };
    const problems: Problem[] =
      this.#config?.problem === undefined ? [] : [{ ...this.#config.problem, task_id }];
    if (damage !== undefined) problems.push(damaged(this.#stream.path, damage, found));
    return viewOf({
      found,
      stream: { owner: '', mtimeMs: Number.NaN },
      state,
      config: this.#config?.config,
      runner: { alive: !over && running, foreign: false },
      located: {},
      leftovers: [],
      bootTimeMs: undefined,
      moved: false,
      removed: false,
      reasons: [],
      problems,
    });
  }

  async #material(sandbox: Sandbox, found: FoundTask, running: boolean | undefined): Promise<Material> {
    const { task_id, phase } = found;
    const problems: Problem[] = [...found.problems];
    const report = (problem: Problem) => problems.push({ ...problem, task_id });
    const ofStream: Problem[] = [];
    const [listed, { config, problem }] = await Promise.all([
      this.#listAndReadStream(sandbox, found, (each) => ofStream.push(each)),
      this.#readConfig(sandbox, found),
    ]);
    if (problem !== undefined) report(problem);
    ofStream.forEach(report);
    const entry = entryOf(listed, RUNNER);
    if (entry === undefined && !found.problems.some(({ code }) => code === 'checkpoint-missing')) {
      report(this.#missing(found, listed));
    }
    let state = this.#replay.state();
    const over = isTerminalTaskState(state.statuses.at(-1)?.state);
    const runner = livenessOf(entry, over, found, running);
    if (entry !== undefined && !over && runner.alive !== true) {
      state = await this.#withCoordinators(sandbox, listed, found, state, report);
    }
    const removed = listed === 'absent' && found.task_file === undefined;
    return {
      found,
      stream: entry && { owner: entry.owner, mtimeMs: entry.mtimeMs },
      state,
      config,
      runner,
      located: this.#locates === 'not' ? {} : await this.#located(state, found, sandbox),
      leftovers: [],
      bootTimeMs: undefined,
      moved: over && phase === 'active' && (await isMoved(sandbox, found)),
      removed,
      reasons: this.#history ? await reasonsIn(sandbox, found, listed) : [],
      problems: removed ? problems.map(asRemoved) : problems,
    };
  }

  #located(state: CheckpointState, found: FoundTask, sandbox: Sandbox): LocatedPaths | Promise<LocatedPaths> {
    const { directory } = sandbox;
    const recorded = state.header ?? {};
    const isInside = (path = '') => isWithin(path, directory) && !path.includes('/..');
    if (this.#locates === 'surely' || !isInside(recorded.sandbox) || !isInside(recorded.log_dir)) {
      return locate(state, found, sandbox);
    }
    return locatePaths(recorded, found, (path) => (isWithin(path, directory) ? path : undefined));
  }

  async #listAndReadStream(
    sandbox: Sandbox,
    found: FoundTask,
    report: (problem: Problem) => void,
  ): Promise<Listed> {
    const listed = await sandbox.list(found.checkpoint_dir);
    const entry = entryOf(listed, RUNNER);
    if (entry === undefined) this.#restart();
    else await this.#readStream(sandbox, entry, found, report);
    return listed;
  }

  async #readStream(
    sandbox: Sandbox,
    entry: RemoteEntry,
    found: FoundTask,
    report: (problem: Problem) => void,
  ): Promise<void> {
    const { path } = this.#stream;
    if (entry.kind !== 'file') {
      report(unread(path, 'refused'));
      return;
    }
    const seen = `${entry.size} ${entry.mtimeMs}`;
    const changed = this.#seen !== undefined && this.#seen !== seen;
    if (
      this.#merged ||
      entry.size < this.#stream.position ||
      (changed && this.#replay.damage !== undefined)
    ) {
      this.#restart();
    }
    this.#seen = seen;
    const { damage, unread: why } = await this.#stream.refresh(sandbox, entry.size);
    if (why !== undefined) report(unread(path, why));
    if (damage !== undefined && why === undefined) report(damaged(path, damage, found));
  }

  /** A file that has not moved is read once: nobody changes it. */
  async #readConfig(
    sandbox: Sandbox,
    { task_file }: FoundTask,
  ): Promise<{ config?: TaskConfig; problem?: Problem }> {
    if (task_file === undefined) return {};
    if (this.#config !== undefined && nameOf(this.#config.of) === nameOf(task_file)) return this.#config;
    const entry = await sandbox.entry(task_file);
    if (entry === 'absent') return {};
    const whole = entry !== 'refused' && entry.kind === 'file' && entry.size <= MAX_TASK_FILE_BYTES;
    const bytes = whole ? await sandbox.readListed(task_file, entry.size) : undefined;
    if (bytes === undefined) {
      const message = `cannot read the task file ${task_file}: the agent does not let you read it`;
      return { problem: { code: 'task-file-unreadable', severity: 'error', message, path: task_file } };
    }
    this.#config = { of: task_file, ...parseTaskFile(bytes.toString('utf8'), task_file) };
    return this.#config;
  }

  /** As for a task on this host: only one that certainly began has lost its stream. */
  #missing({ phase, task_file }: FoundTask, listed: Listed): Problem {
    const { path } = this.#stream;
    if (listed === 'refused') return unread(path, 'refused');
    const began = listed !== 'absent' && listed.entries.some(({ name }) => processOfName(name) !== undefined);
    const isGone = listed === 'absent' && task_file === undefined;
    return isGone || phase !== 'active' || began ? unreadableCheckpoint(path, ABSENT) : notStarted(path);
  }

  /** Without a runner, the coordinators' streams may hold more than its own. */
  async #withCoordinators(
    sandbox: Sandbox,
    listed: Listed,
    found: FoundTask,
    state: CheckpointState,
    report: (problem: Problem) => void,
  ): Promise<CheckpointState> {
    for (const [process, { runs }] of state.processes) {
      if (isTerminalProcessState(runs.at(-1)?.state)) continue;
      const name = coordinatorName(process);
      const entry = name === undefined ? undefined : entryOf(listed, name);
      if (name === undefined || entry === undefined) continue;
      const path = `${found.checkpoint_dir}/${name}`;
      this.#merged = true;
      const stream = new RemoteStream(path, this.#replay.coordinator(process));
      const { damage, unread: why } = await stream.refresh(sandbox, entry.size);
      if (why !== undefined) report({ ...unread(path, why), process });
      else if (damage !== undefined) report({ ...damaged(path, damage, found), process });
    }
    return this.#merged ? this.#replay.state() : state;
  }
}

function entryOf(listed: Listed, name: string): RemoteEntry | undefined {
  return typeof listed === 'string' ? undefined : listed.entries.find((entry) => entry.name === name);
}

/** The agent knows whether it runs the executor, and with it the runner. */
function livenessOf(
  entry: RemoteEntry | undefined,
  over: boolean,
  { phase }: FoundTask,
  running: boolean | undefined,
): RunnerLiveness {
  if (entry === undefined) return { alive: null, foreign: false };
  if (over && phase === 'finished') return { alive: false, foreign: false };
  return { alive: running ?? null, foreign: false };
}

async function isMoved(sandbox: Sandbox, { root, task_id, task_file }: FoundTask): Promise<boolean> {
  if (task_file === undefined) return true;
  return (await sandbox.entry(`${phasePath(root.path, 'active')}/${task_id}`)) === 'absent';
}

/** Only paths in the sandbox can be looked up: whether others exist is not known. */
async function locate(
  { header }: CheckpointState,
  found: FoundTask,
  sandbox: Sandbox,
): Promise<LocatedPaths> {
  const known = new Map<string, boolean>([[sandbox.directory, true]]);
  for (;;) {
    const asked = new Set<string>();
    const located = locatePaths(header ?? {}, found, (path) => {
      if (!isWithin(path, sandbox.directory)) return undefined;
      const exists = known.get(path);
      if (exists === undefined) asked.add(path);
      return exists ? path : undefined;
    });
    const [first] = asked;
    if (first === undefined) return located;
    // Once that is known, less may be asked for.
    known.set(first, await exists(sandbox, first, header));
  }
}

/** What is in a sandbox shows that it exists: with logs in it, it has to be listed anyway. */
async function exists(sandbox: Sandbox, path: string, recorded: RecordedPaths | null): Promise<boolean> {
  const { sandbox: directory, log_dir } = recorded ?? {};
  if (directory !== undefined && log_dir !== undefined) {
    if (parentOf(log_dir) === directory && nameOf(directory) === nameOf(path)) {
      const listed = await sandbox.list(path);
      if (typeof listed !== 'string' && listed.entries.length > 0) return true;
    }
  }
  return typeof (await sandbox.entry(path)) !== 'string';
}

async function reasonsIn(
  sandbox: Sandbox,
  { checkpoint_dir }: FoundTask,
  listed: Listed,
): Promise<readonly Reason[]> {
  const entry = entryOf(listed, REASONS);
  if (entry?.kind !== 'file') return [];
  const size = Math.min(entry.size, MOST_REASONS_BYTES);
  const bytes = await sandbox.readAll(`${checkpoint_dir}/${REASONS}`, size);
  return bytes === undefined ? [] : parseReasons(bytes.toString('utf8'));
}

function damaged(path: string, damage: Damage, { phase, task_id }: FoundTask): Problem {
  return { ...damagedCheckpoint(path, damage, phase === 'finished'), task_id };
}

export function unread(path: string, why: Unread): Problem {
  const reason = why === 'refused' ? 'the agent does not let you read it' : 'it is too long for a browser';
  const message = `cannot read the checkpoint ${path}${why === 'refused' ? '' : ' to its end'}: ${reason}`;
  return { code: 'checkpoint-unreadable', severity: 'error', message, path };
}

/** A task that was removed after it was found has lost nothing. */
function asRemoved(problem: Problem): Problem {
  return problem.code === 'checkpoint-missing' ? { ...problem, severity: 'warning' } : problem;
}
