import type { TaskReport } from '../model.js';

/** The names of the fields of a task that a page needs, by their kind. */
const NEEDED = {
  string: ['task_id', 'root', 'phase', 'verdict'],
  list: ['processes', 'problems', 'statuses', 'ordering', 'logs', 'why'],
} as const;

/** A report that was loaded from elsewhere; undefined if it is none. It may still say anything. Pure. */
export function checkedReport(value: unknown): TaskReport | undefined {
  if (!isObject(value) || !isObject(value.task) || !Number.isFinite(value.made_ms)) return undefined;
  const { task, excerpts, made_by, links } = value;
  const hasStrings = NEEDED.string.every((name) => typeof task[name] === 'string');
  const hasLists = NEEDED.list.every((name) => Array.isArray(task[name]));
  if (!hasStrings || !hasLists || !isObject(task.history) || !Array.isArray(excerpts)) return undefined;
  if (typeof made_by !== 'string') return undefined;
  // Where a link leads is nobody's promise: not to a program.
  return { ...value, links: isObject(links) ? webLinks(links) : undefined } as unknown as TaskReport;
}

function webLinks({ browse, downloads }: Record<string, unknown>): TaskReport['links'] {
  const isWeb = (each: unknown): each is string => typeof each === 'string' && /^https?:\/\//i.test(each);
  return {
    browse: isWeb(browse) ? browse : undefined,
    downloads: isObject(downloads)
      ? (Object.fromEntries(Object.entries(downloads).filter(([, link]) => isWeb(link))) as Record<
          string,
          string
        >)
      : undefined,
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
