/**
 * Ticks of `starttime` in /proc/PID/stat in a second: USER_HZ, which is 100 on every architecture that Node
 * runs on, whatever HZ the kernel was built with.
 */
export const TICKS_PER_SECOND = 100;

export interface ProcessStat {
  pid: number;
  /** `comm` of proc(5): at most 15 bytes, which may be any. */
  command: string;
  /** One letter: R running, S sleeping, D disk sleep, T stopped, Z zombie, X dead … */
  state: string;
  parent: number;
  session: number;
  /** Processor time: its own, and that of its children that have ended and been waited for. */
  ownTicks: number;
  childTicks: number;
  threads: number;
  /** Since boot. */
  startTimeTicks: number;
}

/**
 * Parses /proc/PID/stat (proc(5)). The command is in parentheses and may itself contain parentheses, spaces
 * and newlines, so it ends at the last `)`. Undefined if the text is not such a line.
 */
export function parseProcessStat(text: string): ProcessStat | undefined {
  const open = text.indexOf('(');
  const close = text.lastIndexOf(')');
  if (open < 1 || close < open) return undefined;
  // Field 3, the state, is the first after the command.
  const fields = text
    .slice(close + 1)
    .trimStart()
    // Of some fifty.
    .split(' ', 20);
  const [state] = fields;
  const pid = Number(text.slice(0, open));
  const number = (field: number) => Number(fields[field - 3]);
  const startTimeTicks = number(22);
  if (state?.length !== 1 || !Number.isInteger(pid) || !Number.isFinite(startTimeTicks)) return undefined;
  return {
    pid,
    command: text.slice(open + 1, close),
    state,
    parent: number(4),
    session: number(6),
    ownTicks: number(14) + number(15),
    childTicks: number(16) + number(17),
    threads: number(20),
    startTimeTicks,
  };
}

export interface ProcStatus {
  /** The real uid: the user that the process runs for, even while it executes a set-uid program. */
  uid: number;
  /** Its pid in each namespace it is in, outermost first; empty where a kernel has no `NSpid:` line (< 4.1). */
  nsPid: number[];
}

/** Parses the fields of /proc/PID/status that are needed here; undefined if it is not such a text. */
export function parseProcessStatus(text: string): ProcStatus | undefined {
  const uid = /^Uid:\t(\d+)\t/m.exec(text)?.[1];
  if (uid === undefined) return undefined;
  const nsPid = /^NSpid:((?:\t\d+)+)$/m.exec(text)?.[1] ?? '';
  return { uid: Number(uid), nsPid: nsPid.split('\t').slice(1).map(Number) };
}

/** `btime` of /proc/stat: when the machine was started, in milliseconds since the epoch. */
export function parseBootTimeMs(stat: string): number | undefined {
  const seconds = /^btime (\d+)$/m.exec(stat)?.[1];
  return seconds === undefined ? undefined : Number(seconds) * 1000;
}
