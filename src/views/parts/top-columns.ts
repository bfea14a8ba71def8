/**
 * The columns of what tasks use, in their order; each is a key to sort by. Without imports: the command line knows them
 * before a view is loaded.
 */
export const TOP_COLUMNS = [
  'task',
  'process',
  'run',
  'state',
  'cpu',
  'cpu%',
  'rss',
  'ram%',
  'pss',
  'threads',
  'pids',
  'fds',
  'read',
  'written',
  'disk',
  'disk%',
  'throttled',
  'oom',
  'age',
  'agent',
] as const;

export type TopColumn = (typeof TOP_COLUMNS)[number];

/** Other names of columns, as `top` and `ps` have them. */
const SYNONYMS: Readonly<Record<string, TopColumn>> = { name: 'task', mem: 'rss' };

/** What one can sort by. */
export const TOP_SORT_WORDS: readonly string[] = [...TOP_COLUMNS, ...Object.keys(SYNONYMS)];

/** The column that one of those words means. */
export function columnOf(word: string): TopColumn {
  return SYNONYMS[word] ?? (word as TopColumn);
}
