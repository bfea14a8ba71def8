import { signalName } from '../text/signals.js';

/**
 * How a process ended, in words: `exit code 7`, `signal 9, SIGKILL`. Empty if it isn't recorded. `isEnding`: whether the
 * task was being ended then, if that is known.
 */
export function describeReturnCode(code: number | undefined, isEnding?: boolean): string {
  if (code === undefined) return '';
  // A runner records -1 for a process that it killed at the end of the task; a coordinator records it for SIGHUP.
  if (code === -1) return MINUS_ONE[String(isEnding) as keyof typeof MINUS_ONE];
  if (code < 0) return `signal ${-code}${named(-code)}`;
  if (code > 128 && signalName(code - 128) !== undefined) {
    return `exit code ${code} (from a shell: its command was killed by signal ${code - 128}${named(code - 128)})`;
  }
  return `exit code ${code}`;
}

const MINUS_ONE = {
  true: 'return code -1, by the runner',
  false: 'signal 1, SIGHUP',
  undefined: 'return code -1, by the runner or by SIGHUP',
};

function named(signal: number): string {
  const name = signalName(signal);
  return name === undefined ? '' : `, ${name}`;
}
