/** Encodes a comparison as its `--json` document. No zod here: commands load this. */
import type { Compared, Comparison } from '../task/compare.js';
import { isSame } from '../task/compare.js';
import type { DiffDocument } from './diff.js';
import { encodeInteger } from './encode.js';

/** Two tasks and what differs between them. */
export interface ComparedTasks {
  a: Compared & { path?: string };
  b: Compared & { path?: string };
  comparison: Comparison;
  problems: readonly DiffDocument['problems'][number][];
}

export function encodeDiff({ a, b, comparison, problems }: ComparedTasks): DiffDocument {
  const { config, outcome, durations } = comparison;
  return {
    a: encodeSide(a),
    b: encodeSide(b),
    same: isSame(comparison),
    config: config === undefined ? null : [...config],
    outcome: outcome === undefined ? null : [...outcome],
    durations: durations === undefined ? null : [...durations],
    problems: [...problems],
  };
}

function encodeSide({ view, path }: ComparedTasks['a']): DiffDocument['a'] {
  if (view === undefined) return { path };
  const { task_id, root, state, verdict, launch_time_ms, user, hostname } = view;
  return {
    task_id,
    root: root.path,
    state,
    verdict,
    launch_time_ms: encodeInteger(launch_time_ms),
    user,
    hostname,
  };
}
