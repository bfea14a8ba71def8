/** By number, on all architectures of Linux that Node runs on except MIPS. */
const SIGNALS =
  'HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS'.split(
    ' ',
  );

/** The names of all signals: `SIGHUP`. */
export const SIGNAL_NAMES: readonly string[] = SIGNALS.map((name) => `SIG${name}`);

/** Other names of the same signals. */
const ALIASES: ReadonlyMap<string, string> = new Map([
  ['IOT', 'ABRT'],
  ['CLD', 'CHLD'],
  ['POLL', 'IO'],
]);

/** Those that have no names of their own, as libraries count them. */
const REAL_TIME = { first: 34, last: 64 } as const;

/**
 * The name of a signal, `SIGKILL`; undefined if the number has none. A table, because a task may be shown where other
 * signals exist or none: on another system, in a browser.
 */
export function signalName(number: number): string | undefined {
  return SIGNAL_NAMES[number - 1];
}

/** The name of any signal: `SIGHUP`, `SIGRTMIN+3`, or the number of one that has none. Pure. */
export function signalWord(number: number): string {
  const { first, last } = REAL_TIME;
  const offset = number - first;
  const realTime =
    number < first || number > last ? String(number) : `SIGRTMIN${offset > 0 ? `+${offset}` : ''}`;
  return signalName(number) ?? realTime;
}

/**
 * The number of a signal that is given as to kill(1): by name, with or without SIG, in capitals or not (`hup`,
 * `SIGRTMIN+3`), or by number. Undefined if it is none. Pure.
 */
export function parseSignal(word: string): number | undefined {
  if (/^\d{1,2}$/.test(word)) {
    const number = Number(word);
    return number >= 1 && number <= REAL_TIME.last ? number : undefined;
  }
  const name = word.toUpperCase().replace(/^SIG/, '');
  const at = SIGNALS.indexOf(ALIASES.get(name) ?? name);
  if (at >= 0) return at + 1;
  const offset = /^RT(MIN|MAX)(?:(?<=N)\+(\d{1,2})|(?<=X)-(\d{1,2}))?$/.exec(name);
  if (offset === null) return undefined;
  const { first, last } = REAL_TIME;
  const [, end, up = '0', down = '0'] = offset;
  const number = end === 'MIN' ? first + Number(up) : last - Number(down);
  return number >= first && number <= last ? number : undefined;
}
