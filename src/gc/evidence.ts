import { isLogOrBackup } from '../layout/backups.js';
import { runOfName, STREAMS } from '../layout/log-paths.js';
import { isSameMark, SANDBOX_MARK, type SandboxMark } from '../layout/sandbox-mark.js';
import type { FoundMark } from '../lifecycle/sandbox-mark.js';
import { isWithin } from '../store/paths.js';

/**
 * What shows that a directory is the task's own: it stands where only this task's is, the person named it, `run`
 * marked it, or it holds the logs of the processes that the stream says ran.
 */
export type Evidence = 'place' | 'confirmed' | 'mark' | 'logs';

/** `others`: it is certainly somebody else's. `empty`: there is nothing in it. */
export type Shown = { by: Evidence } | { why: string; others: boolean; empty?: boolean };

/** A directory that a header names. All paths are without links. */
export interface Question {
  readonly task_id: string;
  /** Where nothing but this task's own things are: ROOT/sandboxes/ID, or the run directory of an executor. */
  readonly own: string;
  /** What would be removed, the sandbox that it is or lies in, and where the logs of the task are. */
  readonly path: string;
  readonly home: string;
  readonly logDir?: string;
  /** PROCESS/RUN of each process that ran, its last run. */
  readonly ran: readonly string[];
  /** The task's user. */
  readonly uid?: number;
  /** The checkpoint was copied, and `home` is what it names, not what was copied with it. */
  readonly copied: boolean;
}

/** What evidence has to be looked at on disk. */
export interface EvidenceReader {
  readonly euid: number;
  /** Sandboxes that the person named. */
  readonly confirmed: ReadonlySet<string>;
  /** The mark that a sandbox of the task has. */
  readonly ownMark: () => SandboxMark | undefined;
  readonly mark: (directory: string) => FoundMark | undefined;
  readonly owner: (directory: string) => number | undefined;
  readonly isFile: (path: string) => boolean;
  readonly isEmpty: (directory: string) => boolean;
  /** Is the task that another mark tells of still where it says? */
  readonly isThere: (mark: SandboxMark) => boolean;
}

/** What shows that the directory is the task's own, or why nothing does. Pure but for what is looked at. */
export function evidenceOf(question: Question, reader: EvidenceReader): Shown {
  const { path, home, own } = question;
  if (isWithin(path, own)) return { by: 'place' };
  const marked = markOf(home, question, reader);
  if (marked !== undefined && 'why' in marked && marked.others) return marked;
  if (reader.confirmed.has(home)) return { by: 'confirmed' };
  let shown = marked ?? byLogs(question, reader);
  // The logs that an earlier gc began to remove have a mark of their own.
  if ('why' in shown && path !== home) shown = markOf(path, question, reader) ?? shown;
  if ('by' in shown || !reader.isEmpty(path)) return shown;
  return { why: 'it is empty', others: false, empty: true };
}

function byLogs({ home, logDir, ran, copied }: Question, reader: EvidenceReader): Shown {
  if (logDir === undefined || !isWithin(logDir, home)) return nothing('the logs of the task are not in it');
  if (ran.length === 0) return nothing('no process of the task ran, so it holds no logs that would show it');
  const missing = ran.find((run) => !STREAMS.some((stream) => reader.isFile(`${logDir}/${run}/${stream}`)));
  if (missing !== undefined) return nothing(`it does not hold the logs of ${missing}`);
  if (!copied) return { by: 'logs' };
  return nothing(
    'the checkpoint was copied, restored or given away, so the directory that it names may belong to another task',
  );
}

/** By the mark in a directory; undefined if there is none that may be believed. */
function markOf(directory: string, { uid }: Question, reader: EvidenceReader): Shown | undefined {
  const found = reader.mark(directory);
  const owner = found && reader.owner(directory);
  if (found === undefined || owner === undefined) return undefined;
  // Who owns the directory can write a mark there: it tells only of what is the task's user's, ours or root's.
  const believed = [0, reader.euid, uid].includes(owner) && [0, reader.euid, owner].includes(found.uid);
  if (!believed || found.nlink !== 1) return undefined;
  const expected = reader.ownMark();
  if (expected !== undefined && isSameMark(found.mark, expected)) return { by: 'mark' };
  const whose = `task ${found.mark.task_id} of the root ${found.mark.root}`;
  return reader.isThere(found.mark)
    ? { why: `it is the sandbox of ${whose}`, others: true }
    : nothing(`its mark names ${whose}, which is no longer there`);
}

function nothing(why: string): Shown {
  return { why, others: false };
}

/** LOG_DIR/PROCESS/RUN/{stdout,stderr}[.N]: is this a way into a directory of logs? Pure. */
export function isLogPath(names: readonly string[], isDirectory: boolean): boolean {
  const [first, run, file] = names;
  if (names.length > 3) return false;
  if (file !== undefined) {
    return !isDirectory && STREAMS.some((stream) => isLogOrBackup(file, stream));
  }
  // Ours: an earlier gc began to remove the logs.
  if (run === undefined) return isDirectory || first === SANDBOX_MARK;
  return isDirectory && runOfName(run) !== undefined;
}
