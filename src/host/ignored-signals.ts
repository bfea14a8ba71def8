import { constants } from 'node:os';

/** Set by `bin/run.js`: a bit for each signal, as `sigignore` in proc(5). */
const VARIABLE = 'THERMOS_IGNORED_SIGNALS';

/** A program that was started to ignore one of these goes on to do so: nohup(1), `trap '' TERM`, `&` in a script. */
const KEPT = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;

/**
 * The signals that this program was started to ignore and therefore must not react to. None if it was not started by
 * `bin/run.js` as a program but by `node bin/run.js`: Node itself gives all signals their default effects before any code
 * of ours runs.
 */
export function ignoredSignals(env: NodeJS.ProcessEnv): NodeJS.Signals[] {
  const bits = BigInt(/^\d{1,20}$/.exec(env[VARIABLE] ?? '')?.[0] ?? '0');
  return KEPT.filter((signal) => ((bits >> BigInt(constants.signals[signal] - 1)) & 1n) === 1n);
}

let ignored: readonly NodeJS.Signals[] | undefined;

/** True if the program was started to ignore the signal. */
export function isIgnored(signal: NodeJS.Signals): boolean {
  if (ignored === undefined) {
    ignored = ignoredSignals(process.env);
    // What we start gets the default effects.
    delete process.env[VARIABLE];
  }
  return ignored.includes(signal);
}

/** Like `process.on`, for every signal except those that the program was started to ignore. */
export function onSignal(signal: NodeJS.Signals, listener: NodeJS.SignalsListener): void {
  if (!isIgnored(signal)) process.on(signal, listener);
}
