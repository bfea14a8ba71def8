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
  const state = text.charAt(close + 2);
  const pid = Number(text.slice(0, open));
  if (state === '' || text.charAt(close + 3) !== ' ' || !Number.isInteger(pid)) return undefined;
  const number = numbersFrom(text, close + 4);
  const startTimeTicks = number(22);
  if (!Number.isFinite(startTimeTicks)) return undefined;
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

/** The first and the last field that is read as a number. */
const [FIRST, LAST] = [4, 22];
const numbers = new Float64Array(LAST + 1);
const [SPACE, MINUS, ZERO, NINE] = [0x20, 0x2d, 0x30, 0x39];

/** The fields from the fourth on, until the next call; NaN for what is no whole number. Texts of each would be garbage of thousands. */
function numbersFrom(text: string, from: number): (field: number) => number {
  let at = from;
  for (let field = FIRST; field <= LAST; field++) {
    const sign = text.charCodeAt(at) === MINUS ? -1 : 1;
    if (sign < 0) at += 1;
    const begin = at;
    let value = 0;
    let code = text.charCodeAt(at);
    for (; code >= ZERO && code <= NINE; code = text.charCodeAt(++at)) value = value * 10 + code - ZERO;
    const isWhole = at > begin && (code === SPACE || at === text.length || code === NEWLINE);
    numbers[field] = isWhole ? sign * value : Number.NaN;
    for (; at < text.length && code !== SPACE; code = text.charCodeAt(++at));
    at += 1;
  }
  return numberOf;
}

const NEWLINE = 0x0a;

function numberOf(field: number): number {
  return numbers[field] as number;
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
