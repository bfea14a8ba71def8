import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CheckpointFile, readStream, type StreamStat } from '../../src/checkpoint/reader.js';
import { isTerminalProcessState, isTerminalTaskState } from '../../src/checkpoint/records.js';
import { findTasks, type Mode } from '../../src/discovery/find.js';
import type { FoundTask, TaskRoot } from '../../src/discovery/found.js';
import { joinTasks } from '../../src/discovery/join.js';
import { locatePaths } from '../../src/discovery/relocate.js';
import { compareTasks } from '../../src/discovery/tasks.js';
import type { Problem } from '../../src/errors/problem.js';
import { rootPaths } from '../../src/layout/root-paths.js';
import { coordinatorName, pathsOf, processOfName } from '../../src/layout/task-paths.js';
import type { LogHandle, LogTree } from '../../src/logs/log-tree.js';
import type { Changes } from '../../src/task/changes.js';
import { damagedCheckpoint, unreadableCheckpoint } from '../../src/task/checkpoint-problems.js';
import type { TaskGatherer, TaskSearch, TaskSource } from '../../src/task/gatherer.js';
import type { Material } from '../../src/task/material.js';
import { parseTaskConfig } from '../../src/task/task-file.js';
import { type TaskView, viewOf } from '../../src/task/view.js';

interface MemoryFile {
  id: number;
  bytes: Buffer;
  uid: number;
  mtimeMs: number;
}

/** The files of another host, and what is written to them. */
export class MemoryFiles {
  readonly #files = new Map<string, MemoryFile>();
  #lastId = 0;
  readonly #listeners = new Set<(directory: string) => void>();

  /** What is in a directory of this host now. */
  static of(directory: string): MemoryFiles {
    const files = new MemoryFiles();
    for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const path = join(entry.parentPath, entry.name);
      const { uid, mtimeMs } = statSync(path);
      files.#lastId += 1;
      files.#files.set(path, { id: files.#lastId, bytes: readFileSync(path), uid, mtimeMs });
    }
    return files;
  }

  get(path: string): MemoryFile | undefined {
    return this.#files.get(path);
  }

  isThere(path: string): boolean {
    return [...this.#files.keys()].some((each) => each === path || each.startsWith(`${path}/`));
  }

  /** Undefined if there is no such directory. */
  names(directory: string): string[] | undefined {
    const below = [...this.#files.keys()].filter((path) => path.startsWith(`${directory}/`));
    if (below.length === 0) return undefined;
    return [...new Set(below.map((path) => path.slice(directory.length + 1).split('/')[0] as string))];
  }

  append(path: string, bytes: Buffer | string): void {
    const before = this.#files.get(path);
    if (before === undefined) this.#lastId += 1;
    const file = before ?? { id: this.#lastId, bytes: Buffer.alloc(0), uid: 0, mtimeMs: 0 };
    file.bytes = Buffer.concat([file.bytes, Buffer.from(bytes)]);
    this.#files.set(path, file);
    this.#tell(path);
  }

  rename(from: string, to: string): void {
    this.#files.set(to, this.#files.get(from) as MemoryFile);
    this.#files.delete(from);
    this.#tell(from);
    this.#tell(to);
  }

  remove(path: string): void {
    for (const each of this.#files.keys()) {
      if (each === path || each.startsWith(`${path}/`)) this.#files.delete(each);
    }
    this.#tell(path);
  }

  /** Calls for each directory in which something changes. Returns what ends it. */
  onChange(listener: (directory: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #tell(path: string): void {
    for (const listener of this.#listeners) listener(dirname(path));
  }
}

/** Tells changes a while after they happened, as what asks another host does. */
export class MemoryChanges implements Changes {
  readonly #watched = new Set<string>();
  readonly #end: () => void;
  #changed = new Set<string>();
  #wake: (() => void) | undefined;
  closed = false;

  constructor(files: MemoryFiles) {
    this.#end = files.onChange((directory) => {
      setTimeout(() => {
        if (!this.#watched.has(directory)) return;
        this.#changed.add(directory);
        this.#wake?.();
      }, 2);
    });
  }

  watch(directory: string): boolean {
    if (!this.#watched.has(directory)) this.#changed.add(directory);
    this.#watched.add(directory);
    return true;
  }

  watches(directory: string): boolean {
    return this.#watched.has(directory);
  }

  unwatch(directory: string): void {
    this.#watched.delete(directory);
  }

  async changes(longest: number): Promise<void> {
    if (this.#changed.size > 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, longest);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  take(): ReadonlySet<string> {
    const changed = this.#changed;
    this.#changed = new Set();
    return changed;
  }

  found(): void {}

  close(): void {
    this.closed = true;
    this.#end();
    this.#wake?.();
  }
}

/** As made-up hosts say it. */
const BOOT_MS = 1_399_000_000_000;

/**
 * A gatherer of another kind than the local one: the root of a host that is only known by its bytes, and every answer
 * is late, each by another time, so that they come in any order.
 */
export class MemoryTasks implements TaskGatherer {
  readonly files: MemoryFiles;
  /** Ids of the tasks whose runners live. */
  readonly alive = new Set<string>();
  /** How many answers are waited for at this moment, at most. */
  most = 0;
  #pending = 0;
  #seed: number;
  readonly #root: TaskRoot;

  constructor(root: string, files: MemoryFiles, seed = 1) {
    this.files = files;
    this.#seed = seed;
    this.#root = { path: root, layout: 'host', source: '--root', readable: true };
  }

  async find(words: readonly string[], mode: Mode) {
    const tasks = await this.all();
    const { tasks: selected, unmatched } =
      words.length === 0 ? { tasks, unmatched: [] } : findTasks(tasks, words, mode);
    return { roots: [this.#root], tasks, problems: [], selected, unmatched };
  }

  all(): Promise<FoundTask[]> {
    const { active, finished, checkpoints } = rootPaths(this.#root.path);
    const listed = (path: string) => ({ names: new Set(this.files.names(path)), known: true });
    return this.#late(() => {
      const names = { active: listed(active), finished: listed(finished), checkpoints: listed(checkpoints) };
      return joinTasks(this.#root, names).sort(compareTasks);
    });
  }

  async *views(tasks: Iterable<FoundTask>): AsyncGenerator<TaskView> {
    const reads = [...tasks].map((task) => this.#source(task, false).read());
    for (const read of reads) yield await read;
  }

  board(): TaskSearch {
    const sources = new Map<string, TaskSource>();
    const sourceOf = (task: FoundTask) => {
      const source = sources.get(task.task_id) ?? this.#source(task, false);
      sources.set(task.task_id, source);
      return source;
    };
    return {
      find: (words, mode) => this.find(words, mode),
      async *views(tasks) {
        for (const task of tasks) yield await sourceOf(task).read();
      },
    };
  }

  source(task: FoundTask): TaskSource {
    return this.#source(task, true);
  }

  processNames({ task_file, checkpoint_dir }: FoundTask): Promise<string[]> {
    return this.#late(() => {
      const planned = this.#config(task_file)?.processes.map(({ name }) => name) ?? [];
      const started = (this.files.names(checkpoint_dir) ?? []).map(processOfName);
      return [...planned, ...started.filter((name) => name !== undefined)];
    });
  }

  /** The logs of any task. */
  logs(): LogTree {
    return {
      list: (directory) =>
        this.#late(() => {
          const names = this.files.names(directory);
          return names === undefined ? { absent: true as const } : { names, complete: true };
        }),
      stat: (path) =>
        this.#late(() => {
          const file = this.files.get(path);
          return file === undefined
            ? { absent: true as const }
            : { id: String(file.id), size: file.bytes.length, modified_ms: file.mtimeMs };
        }),
      open: (path) =>
        this.#late(() => {
          const file = this.files.get(path);
          return file === undefined ? { absent: true as const } : { file: this.#handle(path, file) };
        }),
      denied: () => this.#late(() => undefined),
    };
  }

  changes(): MemoryChanges {
    return new MemoryChanges(this.files);
  }

  #handle(path: string, file: MemoryFile): LogHandle {
    return {
      path,
      id: String(file.id),
      size: file.bytes.length,
      modified_ms: file.mtimeMs,
      readAt: (buffer, length, offset) =>
        this.#late(() => file.bytes.copy(buffer, 0, offset, Math.min(offset + length, file.bytes.length))),
      stat: () => this.#late(() => ({ size: file.bytes.length, deleted: false })),
      close: () => {},
    };
  }

  #source(task: FoundTask, history: boolean): TaskSource {
    let found = task;
    const file = () => new CheckpointFile(() => this.#stream(`${task.checkpoint_dir}/runner`), { history });
    let stream = file();
    let merged = false;
    const read = (): TaskView => {
      const { finished } = pathsOf({ root: this.#root.path, taskId: task.task_id });
      if (found.phase === 'active' && this.files.get(finished) !== undefined) {
        found = { ...found, phase: 'finished', task_file: finished };
      }
      if (merged) stream = file();
      const material = this.#material(found, stream);
      merged = !material.runner.alive;
      return viewOf(material);
    };
    const { active } = rootPaths(this.#root.path);
    return { read: () => this.#late(read), streams: task.checkpoint_dir, taskFiles: active };
  }

  #material(found: FoundTask, file: CheckpointFile): Material {
    const { task_id, checkpoint_dir, task_file, phase } = found;
    const path = `${checkpoint_dir}/runner`;
    const problems: Problem[] = [...found.problems];
    const stat = this.files.get(path);
    if (stat !== undefined) {
      const { damage } = file.refresh();
      if (damage !== undefined) {
        problems.push({ ...damagedCheckpoint(path, damage, phase === 'finished'), task_id });
      }
    } else if (!problems.some(({ code }) => code === 'checkpoint-missing')) {
      problems.push({ ...unreadableCheckpoint(path, { code: 'ENOENT' }), task_id });
    }
    let state = file.replay.state();
    const over = isTerminalTaskState(state.statuses.at(-1)?.state);
    const alive = stat === undefined ? null : this.alive.has(task_id);
    if (stat !== undefined && !over && !alive) {
      for (const [process, { runs }] of state.processes) {
        const coordinator = `${checkpoint_dir}/${coordinatorName(process)}`;
        if (isTerminalProcessState(runs.at(-1)?.state) || this.files.get(coordinator) === undefined) continue;
        readStream(this.#stream(coordinator), file.replay.coordinator(process));
      }
      state = file.replay.state();
    }
    return {
      found,
      stream: stat && { owner: String(stat.uid), mtimeMs: stat.mtimeMs },
      state,
      config: this.#config(task_file),
      runner: { alive, foreign: false },
      reasons: [],
      located: locatePaths(state.header ?? {}, found, (each) =>
        this.files.isThere(each) ? each : undefined,
      ),
      leftovers: [],
      bootTimeMs: over ? undefined : BOOT_MS,
      moved: over && (task_file === undefined || this.files.get(task_file) === undefined),
      removed: !this.files.isThere(checkpoint_dir) && (task_file === undefined || !this.files.get(task_file)),
      problems,
    };
  }

  #config(task_file: string | undefined) {
    const bytes = task_file === undefined ? undefined : this.files.get(task_file)?.bytes;
    return bytes && parseTaskConfig(JSON.parse(bytes.toString()));
  }

  #stream(path: string) {
    const { id, bytes, uid, mtimeMs } = this.files.get(path) as MemoryFile;
    const times = { mtimeMs, ctimeMs: mtimeMs, birthtimeMs: 0 };
    const stat: StreamStat = { dev: 1, ino: id, size: bytes.length, uid, ...times };
    return {
      stat,
      readAt: (buffer: Buffer, offset: number, length: number, position: number) =>
        bytes.copy(buffer, offset, position, Math.min(position + length, bytes.length)),
      close: () => {},
    };
  }

  /** What is so when the answer comes. */
  async #late<T>(answer: () => T): Promise<T> {
    this.#pending += 1;
    this.most = Math.max(this.most, this.#pending);
    this.#seed = (this.#seed * 48_271) % 2_147_483_647;
    const delay = this.#seed % 4;
    if (delay === 0) await Promise.resolve();
    else await sleep(delay - 1);
    this.#pending -= 1;
    return answer();
  }
}
