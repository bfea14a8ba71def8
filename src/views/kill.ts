import { isTerminalTaskState } from '../checkpoint/records.js';
import type { TaskView } from '../task/view.js';
import { visible } from '../text/escape.js';
import { paintOf } from './parts/paint.js';
import { shortIds } from './parts/short-ids.js';
import type { Style } from './parts/style.js';
import { table } from './parts/table.js';

/** The tasks that would be ended. */
export function killListText(tasks: readonly TaskView[], style: Style): string {
  if (tasks.length === 0) return '';
  const columns = [
    {
      title: 'TASK',
      flexible: 'middle' as const,
      short: (ids: readonly string[]) =>
        shortIds(
          ids,
          tasks.map(({ user, name }) => ({ user, name })),
        ),
    },
    { title: 'STATE' },
    { title: 'VERDICT' },
    { title: 'USER', dropped: 1 },
    { title: 'ROOT', flexible: 'wrap' as const },
  ];
  const rows = tasks.map(({ task_id, state, verdict, user, root }) => [
    task_id,
    { text: String(state), paint: paintOf(style.paint, String(state)) },
    verdict,
    user,
    root.path,
  ]);
  return table(columns, rows, { width: style.width, unicode: style.unicode, titles: style.paint.bold });
}

/** A line for each task. */
export function killText(
  tasks: readonly { task_id: string; was: unknown; now: unknown; already: boolean }[],
  { paint }: Style,
): string {
  return tasks
    .map(({ task_id, was, now, already }) => {
      const painted = paintOf(paint, String(now))(String(now));
      const how = already
        ? `had already ended, ${painted}`
        : was === now && isTerminalTaskState(was)
          ? `${painted}, cleaned up`
          : `${was} -> ${painted}`;
      return `${visible(task_id)}: ${how}\n`;
    })
    .join('');
}
