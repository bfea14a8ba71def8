import type { Wording } from './words.js';

/** Limits for what is kept; unlimited where undefined. */
export interface GcLimits {
  /** Milliseconds. */
  maxAge?: number;
  maxTasks?: number;
  /** Bytes. */
  maxSpace?: number;
}

/** The properties of a finished task that the policy uses. */
export interface GcCandidate {
  /** Milliseconds since the epoch. */
  finishedAt: number;
  /** The same for display: `finished 2h ago`. */
  since: string;
  /** Bytes that collecting it would free; used only if space is limited. */
  bytes: number;
  /** Why it goes regardless of the limits, if so: an earlier gc was interrupted, its executor is gone … */
  always?: GcReason;
}

/** Why gc acts on a task. */
export interface GcReason {
  reason: string;
  /** The same without what differs from task to task, such as a time: tasks are counted by it. */
  rule: string;
}

/** Why a task is collected; `limit` is the limit that it exceeds. */
export interface GcChoice extends GcReason {
  limit?: 'age' | 'tasks' | 'space' | 'always';
}

/**
 * Decides which candidates go, and why; undefined for those that stay. Without limits all go. The newest stay: number
 * and space are counted from the newest, and all candidates older than the first one beyond the space limit go. Pure;
 * equal times keep their order.
 */
export function choose(
  candidates: readonly GcCandidate[],
  limits: GcLimits,
  now: number,
  words: Pick<Wording, 'duration' | 'size'>,
): (GcChoice | undefined)[] {
  const { maxAge, maxTasks, maxSpace } = limits;
  const unlimited = maxAge === undefined && maxTasks === undefined && maxSpace === undefined;
  const choices: (GcChoice | undefined)[] = candidates.map(() => undefined);
  const newestFirst = [...candidates.keys()].sort(
    (a, b) => (candidates[b] as GcCandidate).finishedAt - (candidates[a] as GcCandidate).finishedAt,
  );
  let kept = 0;
  let space = 0;
  let full = false;
  for (const index of newestFirst) {
    const { finishedAt, since, bytes, always } = candidates[index] as GcCandidate;
    const age = now - finishedAt;
    if (always !== undefined) choices[index] = { ...always, limit: 'always' };
    else if (unlimited) choices[index] = { reason: since, rule: 'finished' };
    else if (maxAge !== undefined && age > maxAge) {
      const old = words.duration(maxAge);
      choices[index] = {
        reason: `${since}, more than ${old}`,
        rule: `finished more than ${old} ago`,
        limit: 'age',
      };
    } else if (maxTasks !== undefined && kept >= maxTasks) {
      const rule = `beyond the newest ${maxTasks}`;
      choices[index] = { reason: `${since}, ${rule}`, rule, limit: 'tasks' };
    } else if (maxSpace !== undefined && (full || space + bytes > maxSpace)) {
      full = true;
      const rule = `beyond ${words.size(maxSpace)} of the newest`;
      choices[index] = { reason: `${since}, ${rule}`, rule, limit: 'space' };
    } else {
      kept += 1;
      space += bytes;
    }
  }
  return choices;
}
