import { describeErrno, errnoOf } from '../errors/errors.js';
import { holdOf } from '../host/held-lock.js';
import { Host, isDead } from '../host/host.js';
import { pause } from '../host/pause.js';
import { homeOf, isExiting, outputsOf, processRow, processTable, rootOf } from '../host/process-table.js';
import type { Halt, Processes } from './processes.js';

/** By the letters of proc(5). */
const HALTS: Readonly<Record<string, Halt>> = { T: 'stopped', t: 'traced' };

/** The processes of this machine. */
export const LOCAL_PROCESSES: Processes = {
  bootTimeMs: () => Host.local().bootTimeMs ?? 0,
  table: processTable,
  look(pid) {
    const found = Host.local().process(pid);
    if (found === undefined) return undefined;
    const { startTimeTicks, startTimeMs, uid, nsPid, state } = found;
    const isForeign = nsPid.length > 1;
    return {
      startTimeTicks,
      startTimeMs,
      realUid: uid,
      isDead: isDead(found),
      halt: HALTS[state],
      isForeign,
      innerPid: isForeign ? nsPid.at(-1) : undefined,
    };
  },
  holdsLock: holdOf,
  locks() {
    const host = Host.local();
    return {
      isLocked: (file) => host.isLocked(file),
      holders(file) {
        const isHolder = (pid: number) => {
          const hold = holdOf(pid, file);
          return hold !== undefined && hold !== 'none';
        };
        // The process that took a lock may be gone while others still hold it: then check all processes.
        const takers = host.lockHolders(file).filter(isHolder);
        return takers.length > 0
          ? takers
          : processTable()
              .map(({ pid }) => pid)
              .filter(isHolder);
      },
    };
  },
  isExiting,
  home: homeOf,
  rootDirectory: rootOf,
  outputs: outputsOf,
  ourselves() {
    const pids = new Set<number>();
    for (let pid = process.pid; pid > 0 && !pids.has(pid); pid = processRow(pid)?.parent ?? 0) pids.add(pid);
    return pids;
  },
  signal(pid, signal) {
    try {
      process.kill(pid, signal);
      return 'sent';
    } catch (error) {
      return errnoOf(error) === 'ESRCH' ? 'gone' : { why: describeErrno(error) };
    }
  },
  clock: () => performance.now(),
  pause,
};
