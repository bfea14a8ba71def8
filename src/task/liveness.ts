import type { FileIdentity } from '../host/file-identity.js';
import { type Host, isDead } from '../host/host.js';
import { mayPrecede, startsAgree } from '../host/start-time.js';
import type { ExactStarts } from '../layout/starts.js';

export interface RecordedRunner {
  pid?: number;
  uid?: number;
  /** When it recorded that it took over, milliseconds since the epoch. */
  timestampMs?: number;
}

export interface RunnerLiveness {
  /** null if it can't be determined from here. */
  alive: boolean | null;
  /** The lock holder has the recorded pid, but in a pid namespace different from ours. */
  foreign: boolean;
  /** If it is foreign: its pid in our namespace. */
  holder?: number;
}

/**
 * Whether the runner of a stream is alive. The lock on the stream decides, because it is right across pid namespaces
 * and, unlike a pid, can't pass to an unrelated process. The recorded pid is checked only where locks can't be
 * seen: the process that has it now must have started when the runner did, or if that was not kept in `starts`, have
 * existed when the runner recorded itself.
 */
export function runnerLiveness(
  host: Host,
  stream: FileIdentity,
  recorded: RecordedRunner,
  starts: () => ExactStarts,
): RunnerLiveness {
  const locked = host.isLocked(stream);
  if (locked === true) {
    const holder = foreignHolder(host, stream, recorded.pid);
    return { alive: true, foreign: holder !== undefined, holder };
  }
  if (locked === false) return { alive: false, foreign: false };
  const { pid, uid, timestampMs } = recorded;
  if (pid === undefined) return { alive: null, foreign: false };
  const presence = host.presence(pid);
  if (presence === 'gone') return { alive: false, foreign: false };
  const process = host.process(pid);
  if (process === undefined) return { alive: null, foreign: false };
  const exact = starts().of(pid);
  const since =
    exact === undefined
      ? timestampMs === undefined || mayPrecede(process.startTimeMs, timestampMs)
      : process.startTimeTicks === exact;
  const alive = !isDead(process) && since && (uid === undefined || uid === process.uid);
  return { alive, foreign: false };
}

function foreignHolder(
  host: Host,
  stream: FileIdentity,
  recordedPid: number | undefined,
): number | undefined {
  const holders = host.lockHolders(stream);
  if (recordedPid === undefined || holders.length === 0 || holders.includes(recordedPid)) return undefined;
  return holders.find((holder) => {
    const { nsPid = [] } = host.process(holder) ?? {};
    return nsPid.length > 1 && nsPid.at(-1) === recordedPid;
  });
}

/**
 * Whether the process that has this pid is the recorded one. It must have started exactly when the one that is kept in
 * `starts` did, or if none is, at the recorded time (within ten seconds), and belong to the task's user; for a root task
 * the owner may have changed. A pid alone proves nothing, because the kernel reuses pids.
 */
export function isSameProcess(
  host: Host,
  pid: number | undefined,
  startSeconds: number | undefined,
  uid: number | undefined,
  starts: () => ExactStarts,
): boolean {
  if (pid === undefined || startSeconds === undefined) return false;
  const startMs = startSeconds * 1000;
  const { bootTimeMs } = host;
  if (bootTimeMs === undefined) return false;
  const isSinceBoot = mayPrecede(bootTimeMs, startMs);
  // Most records are of processes long gone, from before this boot, unless the clock was set.
  if (!isSinceBoot && !host.isListed(pid)) return false;
  const process = host.process(pid);
  if (process === undefined || isDead(process)) return false;
  if (uid !== undefined && uid !== 0 && process.uid !== uid) return false;
  const exact = starts().of(pid, startSeconds);
  if (exact !== undefined) return process.startTimeTicks === exact;
  return isSinceBoot && startsAgree(process.startTimeMs, startMs);
}
