import { isLogOrBackup } from '../layout/backups.js';
import { runOfName, STREAMS } from '../layout/log-paths.js';
import { isSameMark, SANDBOX_MARK, type SandboxMark } from '../layout/sandbox-mark.js';
import type { FoundMark } from '../lifecycle/sandbox-mark.js';
import { isWithin } from '../store/paths.js';

/**
 * Evidence that a directory belongs to the task: it is in a place reserved for this task, the user named it, `run` marked
 * it, or it holds the logs of the processes that ran according to the stream.
 */
export type Evidence = 'place' | 'confirmed' | 'mark' | 'logs';

/** `others`: it certainly belongs to another task. `empty`: the directory is empty. */
export type ShownEvidence = { by: Evidence } | { why: string; others: boolean; empty?: boolean };

/** A directory that a header names. All paths are without links. */
export interface Question {
  readonly task_id: string;
  /** The directory reserved for this task: ROOT/sandboxes/ID, or the run directory of an executor. */
  readonly own: string;
  /** The tree to remove, the sandbox that it is or belongs to, and the log directory of the task. */
  readonly path: string;
  readonly home: string;
  readonly logDir?: string;
  /** PROCESS/RUN of the last run of each process that ran. */
  readonly ran: readonly string[];
  /** The task's user. */
  readonly uid?: number;
  /** The checkpoint was copied, and `home` is the sandbox that it names, not one that was copied with it. */
  readonly copied: boolean;
}

/** Access to the evidence on disk. */
export interface EvidenceReader {
  readonly euid: number;
  /** Sandboxes that the user named. */
  readonly confirmed: ReadonlySet<string>;
  /** The mark expected in a sandbox of the task. */
  readonly ownMark: () => SandboxMark | undefined;
  readonly mark: (directory: string) => FoundMark | undefined;
  readonly owner: (directory: string) => number | undefined;
  readonly isFile: (path: string) => boolean;
  readonly isEmpty: (directory: string) => boolean;
  /** Does the task that another mark names still exist there? */
  readonly isThere: (mark: SandboxMark) => boolean;
}

/** The evidence that the directory belongs to the task, or why there is none. Pure except for `reader`. */
export function evidenceOf(question: Question, reader: EvidenceReader): ShownEvidence {
  const { path, home, own } = question;
  if (isWithin(path, own)) return { by: 'place' };
  const marked = markOf(home, question, reader);
  if (marked !== undefined && 'why' in marked && marked.others) return marked;
  if (reader.confirmed.has(home)) return { by: 'confirmed' };
  let shown = marked ?? byLogs(question, reader);
  // Logs that an earlier gc began to remove have their own mark.
  if ('why' in shown && path !== home) shown = markOf(path, question, reader) ?? shown;
  if ('by' in shown || !reader.isEmpty(path)) return shown;
  return { why: 'it is empty', others: false, empty: true };
}

function byLogs({ home, logDir, ran, copied }: Question, reader: EvidenceReader): ShownEvidence {
  if (logDir === undefined || !isWithin(logDir, home)) return nothing('the logs of the task are not in it');
  if (ran.length === 0) return nothing('no process of the task ran, so it holds no logs that would show it');
  const missing = ran.find((run) => !STREAMS.some((stream) => reader.isFile(`${logDir}/${run}/${stream}`)));
  if (missing !== undefined) return nothing(`it does not hold the logs of ${missing}`);
  if (!copied) return { by: 'logs' };
  return nothing(
    'the checkpoint was copied, restored or given away, so the directory that it names may belong to another task',
  );
}

/** By the mark in a directory; undefined if there is none that can be trusted. */
function markOf(directory: string, { uid }: Question, reader: EvidenceReader): ShownEvidence | undefined {
  const found = reader.mark(directory);
  const owner = found && reader.owner(directory);
  if (found === undefined || owner === undefined) return undefined;
  // The owner of a directory can write a mark there, so trust only directories of the task's user, ours and root's.
  const believed = [0, reader.euid, uid].includes(owner) && [0, reader.euid, owner].includes(found.uid);
  if (!believed || found.nlink !== 1) return undefined;
  const expected = reader.ownMark();
  if (expected !== undefined && isSameMark(found.mark, expected)) return { by: 'mark' };
  const whose = `task ${found.mark.task_id} of the root ${found.mark.root}`;
  return reader.isThere(found.mark)
    ? { why: `it is the sandbox of ${whose}`, others: true }
    : nothing(`its mark names ${whose}, which is no longer there`);
}

function nothing(why: string): ShownEvidence {
  return { why, others: false };
}

/** Does a path in a log directory fit LOG_DIR/PROCESS/RUN/{stdout,stderr}[.N]? Pure. */
export function isLogPath(names: readonly string[], isDirectory: boolean): boolean {
  const [first, run, file] = names;
  if (names.length > 3) return false;
  if (file !== undefined) {
    return !isDirectory && STREAMS.some((stream) => isLogOrBackup(file, stream));
  }
  // The mark is ours, from an earlier gc that began to remove the logs.
  if (run === undefined) return isDirectory || first === SANDBOX_MARK;
  return isDirectory && runOfName(run) !== undefined;
}
