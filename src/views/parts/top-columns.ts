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
] as const;

export type TopColumn = (typeof TOP_COLUMNS)[number];

/** Other names of columns. */
export const TOP_SYNONYMS: Readonly<Record<string, TopColumn>> = {
  id: 'task',
  name: 'task',
  mem: 'rss',
  memory: 'rss',
  ram: 'rss',
  write: 'written',
};
