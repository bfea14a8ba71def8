/** By number, on all architectures of Linux that Node runs on except MIPS. */
const SIGNALS =
  'HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS'.split(
    ' ',
  );

/** The names of all signals: `SIGHUP`. */
export const SIGNAL_NAMES: readonly string[] = SIGNALS.map((name) => `SIG${name}`);

/**
 * The name of a signal, `SIGKILL`; undefined if the number has none. A table, because a task may be shown where other
 * signals exist or none: on another system, in a browser.
 */
export function signalName(number: number): string | undefined {
  return SIGNAL_NAMES[number - 1];
}
