/** Encodes what gc did as its `--json` document. No zod here: commands load this. */
import type { Problem } from '../errors/problem.js';
import type { TaskOutcome } from '../gc/apply.js';
import type { GcPlan } from '../gc/plan.js';
import type { GcDocument } from './gc.js';

export function encodeGc(
  dryRun: boolean,
  outcomes: readonly TaskOutcome[],
  { reconciled }: Pick<GcPlan, 'reconciled'>,
  problems: readonly Problem[],
): GcDocument {
  const tasks = outcomes.map(({ task, actions, finalization }) => ({
    task_id: task.task_id,
    root: task.root,
    layout: task.layout,
    state: task.state,
    finished_ms: task.finish?.at,
    finished_by: task.finish?.by,
    reason: task.reason,
    rule: task.rule,
    actions,
    orphan: finalization &&
      task.finalization && {
        was: task.finalization.was,
        becomes: task.finalization.becomes,
        result: finalization.result,
        why: finalization.why,
        killed: [...finalization.killed],
      },
  }));
  const freed = outcomes.flatMap(({ actions }) => actions);
  return {
    dry_run: dryRun,
    tasks,
    freed_bytes: freed.reduce((sum, { bytes }) => sum + bytes, 0),
    reconcile: reconciled,
    problems: [...problems],
  };
}
