/**
 * The columns that a status table can have, in their order. Without imports: the command line knows them before a view
 * is loaded.
 */
export const STATUS_COLUMNS = [
  'task',
  'phase',
  'state',
  'verdict',
  'user',
  'done',
  'failed',
  'age',
  'agent',
  'owner',
  'root',
  'cpu',
  'rss',
  'disk',
] as const;

export type StatusColumn = (typeof STATUS_COLUMNS)[number];

/** Those that are measured, and are shown only if they are asked for by name: --wide does not have them. */
export const MEASURED_COLUMNS: readonly StatusColumn[] = ['cpu', 'rss', 'disk'];
