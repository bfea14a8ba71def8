import { basename, dirname, join } from 'node:path';
import { followRecords, RecordLister } from '../checkpoint/follow.js';
import type { Damage } from '../checkpoint/framing.js';
import { readStream } from '../checkpoint/reader.js';
import { isTerminalTaskState } from '../checkpoint/records.js';
import { type CheckpointState, Replay } from '../checkpoint/replay.js';
import type { Change } from '../checkpoint/stream-memory.js';
import { encodeProblem, encodeRecord } from '../contracts/encode.js';
import { describeErrno, errnoOf, NotFoundError, SystemError, ThermosError } from '../errors/errors.js';
import { EXIT } from '../errors/exit-codes.js';
import { hasError, type Problem } from '../errors/problem.js';
import { Host } from '../host/host.js';
import { processOfName, RUNNER } from '../layout/task-paths.js';
import { DirectoryWatcher } from '../store/directory-watcher.js';
import { isDirectory } from '../store/look.js';
import { openFile, useFile } from '../store/open-file.js';
import { RefusedError } from '../store/refused.js';
import {
  damagedCheckpoint,
  historyLeftOut,
  processesLeftOut,
  replacedCheckpoint,
} from '../task/checkpoint-problems.js';
import { jsonText } from '../text/json.js';
import { recordLine } from '../views/read.js';
import { problemsText } from './failure.js';
import type { Terminal } from './terminal.js';

/** The path is what a person typed: where it leads is what they mean. */
const NAMED = { links: 'follow' } as const;

/** Replays a checkpoint with its whole history. Throws NotFoundError and SystemError. */
export function readCheckpoint(word: string): {
  state: CheckpointState;
  records: number;
  bytes: number;
  problems: Problem[];
} {
  const path = streamPath(word);
  const replay = new Replay({ history: true, coordinator: processOfName(basename(path)) !== undefined });
  const { damage } = opened(path, () => useFile(path, NAMED, (file) => readStream(file, replay)));
  const state = replay.state();
  const over = isTerminalTaskState(state.statuses.at(-1)?.state);
  const problems = historyLeftOut(path, state.processes, state.statuses_left_out);
  const processes = processesLeftOut(path, state);
  if (processes !== undefined) problems.unshift(processes);
  if (damage !== undefined) problems.unshift(damagedCheckpoint(path, damage, over));
  return { state, records: replay.records, bytes: replay.bytes, problems };
}

/**
 * Writes the records of a checkpoint, one a line. Damage ends it, under `--json` with a line of its own; so is told
 * that another stream took the place of the one that is followed.
 */
export async function listRecords(
  word: string,
  flags: { json: boolean; follow: boolean },
  terminal: Terminal,
): Promise<{ problems: Problem[]; exitCode: number }> {
  const path = streamPath(word);
  let lines: string[] = [];
  const flush = () => {
    if (lines.length > 0) terminal.write(lines.join(''));
    lines = [];
  };
  const lister = new RecordLister((record, offset, length) => {
    lines.push(
      flags.json ? `${jsonText(encodeRecord(record, offset, length))}\n` : recordLine(record, offset, length),
    );
    if (lines.length >= 1000) flush();
  });
  const restarted = (change: Change) => {
    flush();
    const problem = replacedCheckpoint(path, change);
    if (flags.json) terminal.write(`${jsonText(encodeProblem(problem))}\n`);
    else terminal.writeError(problemsText([problem]));
  };
  let damage: Damage | undefined;
  if (flags.follow) {
    const watcher = new DirectoryWatcher();
    watcher.watch(dirname(path));
    const changed = async () => {
      await watcher.changes(Number.POSITIVE_INFINITY);
      watcher.take();
    };
    const isLocked = (file: Parameters<Host['isLocked']>[0]) => Host.local().isLocked(file);
    try {
      damage = await followRecords(() => openFile(path, NAMED), lister, {
        changed,
        isLocked,
        restarted,
        flush,
      });
    } catch (error) {
      throw failedToRead(path, error);
    } finally {
      watcher.close();
    }
  } else {
    damage = opened(path, () => useFile(path, NAMED, (file) => readStream(file, lister))).damage;
  }
  if (damage === undefined) {
    flush();
    return { problems: [], exitCode: EXIT.ok };
  }
  const problem = damagedCheckpoint(path, damage, lister.over);
  if (flags.json) lines.push(`${jsonText(encodeProblem(problem))}\n`);
  flush();
  return { problems: [problem], exitCode: hasError([problem]) ? EXIT.partial : EXIT.ok };
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
      `${path} is not a regular file: it can't be a checkpoint`,
    );
  }
  if (code === undefined || error instanceof ThermosError) return error;
  const hint = code === 'EACCES' ? 'run it again with sudo' : undefined;
  return new SystemError(
    'checkpoint-unreadable',
    `cannot read ${path}: ${describeErrno(error)}`,
    hint,
    error,
  );
}
