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
] as const;

export type StatusColumn = (typeof STATUS_COLUMNS)[number];
