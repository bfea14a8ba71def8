import type { ProcessView, TaskView } from '../task/view.js';
import { age, fromSeconds } from '../text/age.js';
import { visible } from '../text/escape.js';

/** A task in a few words, beside its id: `ACTIVE, runner-gone, 2h13m, www-data`. `now`: milliseconds since the epoch. */
export function taskSummary(
  { state, verdict, state_timestamp_ms, user, owner }: TaskView,
  now: number,
): string {
  const odd = verdict === 'ok' ? undefined : verdict;
  const time = state_timestamp_ms === undefined ? undefined : age(state_timestamp_ms, now);
  return [String(state), odd, time, user ?? owner]
    .filter((word) => word !== undefined)
    .map((word) => visible(word))
    .join(', ');
}

/** A running process in a few words: `run 2, 5m, pid 4711`. */
export function processSummary({ runs, start_time, pid }: ProcessView, now: number): string {
  const words = [`run ${runs - 1}`];
  if (start_time !== undefined) words.push(age(fromSeconds(start_time), now));
  if (pid !== undefined) words.push(`pid ${pid}`);
  return words.join(', ');
}
