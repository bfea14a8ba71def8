import type { Stats } from 'node:fs';
import { isTerminalTaskState, type TaskStatus } from '../checkpoint/records.js';
import { mayPrecede } from '../host/start-time.js';
import { type Owner, onlyRootCanWrite } from './owner.js';
import type { Halt, Processes } from './processes.js';
import { send } from './signal.js';

/** The runner of a task, as far as it can be found. */
export type FoundRunner =
  | { readonly kind: 'runner'; readonly pid: number; readonly startTimeTicks: number; readonly halt?: Halt }
  /** No process holds the lock. */
  | { readonly kind: 'none' }
  /** The task is over and the holder of its lock is about to release it: there is no runner to signal. */
  | { readonly kind: 'ending' }
  /** The lock is held, but it is not certain by which process. */
  | { readonly kind: 'unknown'; readonly why: string };

/**
 * Finds the live runner of a task: the process with the recorded pid, if it holds the lock of the stream itself and
 * belongs to the task's user. A process of root's counts only if nobody but root can have recorded it, and if it existed
 * when it was recorded or can write to the stream: anyone who may read a stream may lock it and pass the descriptor on.
 */
export function findRunner(
  processes: Processes,
  stream: Stats,
  last: TaskStatus | undefined,
  owner: Owner,
): FoundRunner {
  const locks = processes.locks();
  const isLocked = locks.isLocked(stream);
  const pid = last?.runner_pid;
  const found = pid === undefined ? undefined : processes.look(pid);
  const hold = found === undefined || found.isDead ? 'none' : processes.holdsLock(pid as number, stream);
  const isHeld = hold !== undefined && hold !== 'none';
  if (isLocked === false || (isLocked === undefined && hold === 'none')) return { kind: 'none' };
  if (isTerminalTaskState(last?.state)) return { kind: 'ending' };
  const unknown = (why: string): FoundRunner => ({ kind: 'unknown', why });
  if (pid === undefined) return unknown('its stream does not say who its runner is');
  if (hold === undefined) {
    return unknown(
      `process ${pid} belongs to another user: cannot determine whether it is the task's runner`,
    );
  }
  if (found === undefined || !isHeld || found.isForeign) {
    const who = locks
      .holders(stream)
      .filter((holder) => holder !== pid)
      .map((holder) => describe(processes, holder));
    return unknown(
      who.length === 0
        ? `its stream names process ${pid} as its runner, but here it is not: another pid namespace?`
        : `its stream names process ${pid} as its runner, but its lock is held by ${who.join(', ')}`,
    );
  }
  const { realUid, startTimeMs, startTimeTicks, halt } = found;
  if (realUid !== owner.uid && realUid !== 0) {
    return unknown(
      `process ${pid}, which holds its lock, belongs to uid ${realUid}, but the task to uid ${owner.uid}`,
    );
  }
  if (realUid === 0) {
    const says = last?.runner_uid ?? 0;
    if (says !== 0)
      return unknown(
        `process ${pid} belongs to uid 0, but the stream says that the runner belongs to uid ${says}`,
      );
    if (owner.uid !== 0 && !onlyRootCanWrite(stream)) {
      return unknown(
        `process ${pid} belongs to uid 0, but its stream may have been written by uid ${stream.uid}`,
      );
    }
    const recordedMs = last?.timestamp_ms === undefined ? 0 : Number(last.timestamp_ms);
    if (!hold.isWritable && !mayPrecede(startTimeMs, recordedMs)) {
      return unknown(`process ${pid} started after the runner recorded itself`);
    }
  }
  return { kind: 'runner', pid, startTimeTicks, halt };
}

const UNSTARTED: FoundRunner = {
  kind: 'unknown',
  why: 'it has not started: it has no checkpoint yet, or its runner died before it made one',
};

export type SignalResult =
  /** `halt`: what kept the runner from running then. */
  | { readonly kind: 'sent'; readonly pid: number; readonly halt?: Halt }
  /** `no-runner`: no process holds the lock. `ending`: its holder is already ending the task. */
  | { readonly kind: 'no-runner' }
  | { readonly kind: 'ending' }
  | { readonly kind: 'refused'; readonly why: string };

/** A runner that has just taken the lock has yet to record itself; one that was killed has yet to release it. */
const SETTLED_MS = 1000;
const POLL_MS = 20;

/**
 * Sends a signal to the live runner of a task: SIGUSR1 asks it to end the task as KILLED, SIGUSR2 as LOST; SIGKILL
 * ends only the runner. A stopped one is continued, so that it can react. `look` rereads the stream; undefined if there
 * is none. Retries for a moment while the runner is uncertain.
 */
export function signalRunner(
  processes: Processes,
  look: () => { stream: Stats; last: TaskStatus | undefined; owner: Owner } | undefined,
  signal: 'SIGUSR1' | 'SIGUSR2' | 'SIGKILL',
): SignalResult {
  const until = processes.clock() + SETTLED_MS;
  for (;;) {
    const seen = look();
    const runner = seen === undefined ? UNSTARTED : findRunner(processes, seen.stream, seen.last, seen.owner);
    if (runner.kind === 'none') return { kind: 'no-runner' };
    if (runner.kind === 'ending') return runner;
    if (seen !== undefined && runner.kind === 'runner') {
      // `findRunner` has already checked a runner of root's for a user's task.
      const rights = { ...seen.owner, isWrittenByRoot: true };
      const sent = send(processes, runner, signal, rights);
      if (sent === 'sent') {
        const { pid, halt } = runner;
        if (halt === 'stopped' && signal !== 'SIGKILL') send(processes, runner, 'SIGCONT', rights);
        return { kind: 'sent', pid, halt };
      }
      if (sent !== 'gone') return { kind: 'refused', why: sent.message };
    }
    if (processes.clock() >= until) {
      return { kind: 'refused', why: runner.kind === 'unknown' ? runner.why : 'its runner has just gone' };
    }
    processes.pause(POLL_MS);
  }
}

function describe(processes: Processes, pid: number): string {
  const uid = processes.look(pid)?.realUid;
  return uid === undefined ? `process ${pid}` : `process ${pid} of uid ${uid}`;
}
