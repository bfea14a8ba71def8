import { basename, dirname, join } from 'node:path';
import { followRecords, type OnRecord, RecordLister } from '../checkpoint/follow.js';
import type { Damage } from '../checkpoint/framing.js';
import { readStream } from '../checkpoint/reader.js';
import { isTerminalTaskState } from '../checkpoint/records.js';
import { type CheckpointState, Replay } from '../checkpoint/replay.js';
import { isPathWord } from '../discovery/task-path.js';
import { errnoOf, NotFoundError, SystemError, ThermosError } from '../errors/errors.js';
import type { Problem } from '../errors/problem.js';
import { Host } from '../host/host.js';
import { LAYOUTS } from '../layout/layouts.js';
import { processOfName, RUNNER } from '../layout/task-paths.js';
import { DirectoryWatcher } from '../store/directory-watcher.js';
import { isDirectory, presenceOf } from '../store/look.js';
import { type OpenOptions, openFile, useFile } from '../store/open-file.js';
import { unreadable } from '../store/problems.js';
import { RefusedError } from '../store/refused.js';
import {
  damagedCheckpoint,
  historyLeftOut,
  processesLeftOut,
  replacedCheckpoint,
} from '../task/checkpoint-problems.js';
import { onlyTask, type RootFlags, tasksToLookAt } from './search.js';

/** A person typed the path, so its links are followed. */
const NAMED = { links: 'follow' } as const;

/** The state that the records of a checkpoint add up to. */
export interface Replayed {
  state: CheckpointState;
  records: number;
  bytes: number;
  problems: Problem[];
}

/** A checkpoint of this host, and how it may be opened. */
export interface NamedCheckpoint {
  readonly path: string;
  readonly opening: OpenOptions;
}

/**
 * The checkpoint that a word names: a path, or the stream of the one task that it matches. What is neither is a path that
 * does not exist. Throws UsageError `ambiguous-task` and as `findTasks`.
 */
export function checkpointNamed(word: string, flags: RootFlags = {}): NamedCheckpoint {
  if (!isPathWord(word) && presenceOf(word) === 'absent') {
    const selection = tasksToLookAt(flags, [word]);
    if (selection.selected.length > 0) {
      const { checkpoint_dir, root } = onlyTask(word, selection);
      const below = LAYOUTS[root.layout].base(root);
      return { path: `${checkpoint_dir}/${RUNNER}`, opening: { below, as: 'owner' } };
    }
  }
  return { path: streamPath(word), opening: NAMED };
}

/** Replays a checkpoint with its whole history. Throws NotFoundError and SystemError. */
export function readCheckpoint({ path, opening }: NamedCheckpoint): Replayed {
  const replay = new Replay({ history: true, coordinator: processOfName(basename(path)) !== undefined });
  const { damage } = opened(path, () => useFile(path, opening, (file) => readStream(file, replay)));
  return replayed(path, replay, damage);
}

/** What was read of the checkpoint at a path, which may be on another host, with what is wrong with it. Pure. */
export function replayed(path: string, replay: Replay, damage: Damage | undefined): Replayed {
  const state = replay.state();
  const over = isTerminalTaskState(state.statuses.at(-1)?.state);
  const problems = historyLeftOut(path, state.processes, state.statuses_left_out);
  const processes = processesLeftOut(path, state);
  if (processes !== undefined) problems.unshift(processes);
  if (damage !== undefined) problems.unshift(damagedCheckpoint(path, damage, over));
  return { state, records: replay.records, bytes: replay.bytes, problems };
}

/** Takes the records of a stream, one by one. */
export interface RecordReceiver {
  record: OnRecord;
  /** Another stream replaced the followed one; its records come next. */
  replaced(problem: Problem): void;
  /** All records that exist so far have been passed. */
  flush(): void;
}

/**
 * Passes on the records of a checkpoint as they are on disk; with `follow`, also those that are appended until the task
 * is over. Resolves to the damage if the stream has any. Rejects with NotFoundError and SystemError.
 */
export async function listRecords(
  checkpoint: NamedCheckpoint,
  follow: boolean,
  receiver: RecordReceiver,
): Promise<Problem | undefined> {
  const { path, opening } = checkpoint;
  const lister = new RecordLister(receiver.record);
  const damage = follow
    ? await followed(checkpoint, lister, receiver)
    : opened(path, () => useFile(path, opening, (file) => readStream(file, lister))).damage;
  return damage && damagedCheckpoint(path, damage, lister.over);
}

async function followed(
  { path, opening }: NamedCheckpoint,
  lister: RecordLister,
  receiver: RecordReceiver,
): Promise<Damage | undefined> {
  const watcher = new DirectoryWatcher();
  watcher.watch(dirname(path));
  try {
    return await followRecords(() => openFile(path, opening), lister, {
      async changed() {
        await watcher.changes(Number.POSITIVE_INFINITY);
        watcher.take();
      },
      isLocked: (file) => Host.local().isLocked(file),
      restarted: (change) => receiver.replaced(replacedCheckpoint(path, change)),
      flush: () => receiver.flush(),
    });
  } catch (error) {
    throw failedToRead(path, error);
  } finally {
    watcher.close();
  }
}

/** A directory stands for the runner's stream in it. */
function streamPath(word: string): string {
  return isDirectory(word) ? join(word, RUNNER) : word;
}

function opened<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw failedToRead(path, error);
  }
}

function failedToRead(path: string, error: unknown): unknown {
  const code = errnoOf(error);
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return new NotFoundError(
      'checkpoint-missing',
      `there is no checkpoint ${path}`,
      "see 'thermos roots' for where tasks are",
    );
  }
  if (error instanceof RefusedError) {
    return new SystemError(
      'checkpoint-unreadable',
      `${path} is not a regular file: it cannot be a checkpoint`,
    );
  }
  if (code === undefined || error instanceof ThermosError) return error;
  const { message, hint } = unreadable({ code: 'checkpoint-unreadable', tried: `read ${path}`, error });
  return new SystemError('checkpoint-unreadable', message, hint, error);
}
