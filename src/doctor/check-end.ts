import { rootFlagsOf, thermosCommand } from '../discovery/advised-command.js';
import { RUNNER } from '../layout/task-paths.js';
import type { TaskView } from '../task/view.js';
import type { FindingEvidence, Symptom } from './finding.js';

/**
 * How one task ended, for users who ask about that task. A failed task is not a fault of the host, so examinations of
 * the host leave this out. `why`: the lines of `whyLines`. Pure.
 */
export function* checkEnd(view: TaskView, why: readonly string[]): Generator<Symptom> {
  const { state, task_id, found } = view;
  if (state !== 'FAILED' && state !== 'LOST' && state !== 'KILLED') return;
  const path = `${found.checkpoint_dir}/${RUNNER}`;
  const evidence: FindingEvidence[] =
    why.length === 0 ? [{ path, text: `the stream ends with ${state}` }] : [];
  for (const text of why) evidence.push({ text });
  yield {
    code: CODES[state],
    severity: state === 'KILLED' ? 'note' : 'error',
    what: () => ENDS[state],
    evidence,
    advice: adviceFor(view),
    task_id,
  };
}

const CODES = { FAILED: 'task-failed', LOST: 'task-lost', KILLED: 'task-killed' } as const;

const ENDS = {
  FAILED: 'the task failed',
  LOST: 'the task was lost: its runner died or was asked to give it up',
  KILLED: 'the task was killed on request',
} as const;

function adviceFor({ state, task_id, processes, log_dir, root }: TaskView): string[] {
  if (state !== 'FAILED') return [];
  const failed = processes.filter((process) => process.state === 'FAILED').map(({ process }) => process);
  if (failed.length === 0 || !log_dir?.found) return [];
  const names = [task_id, ...failed.slice(0, 3)];
  return [`read its output: ${thermosCommand(['tail', '--stderr'], rootFlagsOf(root), names)}`];
}
