import { judgeShortage, type Stage } from '../errors/shortage.js';
import { pause } from './pause.js';

const FIRST_MS = 20;
const LONGEST_MS = 500;

/**
 * Does something, again while the machine is short of what it needs, as `judgeShortage` says. It blocks this thread
 * meanwhile. Throws its last error.
 */
export function waitOut<T>(act: () => T, stage: Stage, mostMs?: number): T {
  return patience(stage, mostMs)(act);
}

/**
 * As `waitOut`, for several things that are done one after the other, and share the time. `waits` is called with the first
 * error.
 */
export function patience(
  stage: Stage,
  mostMs?: number,
  waits?: (error: unknown) => void,
): <T>(act: () => T) => T {
  const began = performance.now();
  let isSaid = false;
  return (act) => {
    for (let wait = FIRST_MS; ; wait = Math.min(2 * wait, LONGEST_MS)) {
      try {
        return act();
      } catch (error) {
        if (judgeShortage(error, performance.now() - began, stage, mostMs) !== 'wait') throw error;
        if (!isSaid) waits?.(error);
        isSaid = true;
        pause(wait);
      }
    }
  };
}
