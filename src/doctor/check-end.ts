import { rootFlagsOf, thermosCommand } from '../discovery/advised-command.js';
import { RUNNER } from '../layout/task-paths.js';
import type { OutputToRead } from '../logs/output-to-read.js';
import type { TaskView } from '../task/view.js';
import type { FindingEvidence, Symptom } from './finding.js';

/**
 * How one task ended, for users who ask about that task. A failed task is not a fault of the host, so examinations of
 * the host leave this out. `why`: the lines of `whyLines`; `output`: what `outputToRead` returns. Pure.
 */
export function* checkEnd(
  view: TaskView,
  why: readonly string[],
  output: OutputToRead | undefined,
): Generator<Symptom> {
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
    advice: adviceFor(view, output),
    task_id,
  };
}

const CODES = { FAILED: 'task-failed', LOST: 'task-lost', KILLED: 'task-killed' } as const;

const ENDS = {
  FAILED: 'the task failed',
  LOST: 'the task was lost: its runner died or was asked to give it up',
  KILLED: 'the task was killed on request',
} as const;

function adviceFor({ state, task_id, root }: TaskView, output: OutputToRead | undefined): string[] {
  if (state !== 'FAILED' || output === undefined) return [];
  const words = ['tail', `--${output.stream}`];
  return [`read its output: ${thermosCommand(words, rootFlagsOf(root), [task_id, output.process])}`];
}
