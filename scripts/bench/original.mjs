// Rows that compare with the original program, if it is here.

import { sideBySide, timeOnce } from './measure.mjs';
import { ratioRow, unmeasuredRow } from './table.mjs';

/**
 * The same question to both programs, `words` to the original. `elsewhere`: what it took on another machine, shown if it
 * is not here (`context.original`) or does not answer.
 * @param {{ wall?: number, cpu?: number }} goals
 */
export function besideOriginal(context, ours, words, runs, elsewhere, goals = {}) {
  const { original, env } = context;
  const what = '  beside the original';
  const absent = (why) => {
    const goal = Object.entries(goals).map(([key, most]) => `${key} <= ${most}`);
    return unmeasuredRow(
      what,
      `${why}; elsewhere: ${elsewhere}`,
      goal.length > 0 ? goal.join(', ') : undefined,
    );
  };
  if (original === undefined) return absent('the original is not here');
  const theirs = `${original} ${words}`;
  try {
    timeOnce(theirs, env);
  } catch {
    return absent('the original fails');
  }
  return ratioRow(what, 'the original', sideBySide([ours, theirs], runs, env), goals);
}
