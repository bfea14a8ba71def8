import type { Condition } from '../task/condition.js';
import type { TaskView } from '../task/view.js';
import { visible } from '../text/escape.js';
import { paintOf } from './parts/paint.js';
import type { Style } from './parts/style.js';

/** The state of the task, or a line for each process that was waited for. */
export function waitText(
  view: TaskView,
  conditions: readonly Condition[],
  why: string | undefined,
  { paint }: Style,
): string {
  const painted = (state: string) => paintOf(paint, state)(state);
  const id = visible(view.task_id);
  if (why !== undefined) return `${id}: ${visible(why)}\n`;
  if (conditions.length === 0) return `${id}: ${painted(String(view.state))}\n`;
  return conditions
    .map(({ process, state }) => `${id}: process ${visible(process)} is or was ${painted(state)}\n`)
    .join('');
}
