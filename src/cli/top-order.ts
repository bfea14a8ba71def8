import { UsageError } from '../errors/errors.js';
import { columnOf, type TopColumn } from '../views/parts/top-columns.js';
import type { TopOrder } from '../views/top.js';

/** The flags of `top` that say in which order, and those that some columns need. */
export interface TopOrderFlags {
  sort?: string;
  reverse: boolean;
  processes: boolean;
  pss: boolean;
}

/** The order that the flags say. */
export function orderOf({ sort = 'cpu', reverse }: Pick<TopOrderFlags, 'sort' | 'reverse'>): TopOrder {
  return { by: columnOf(sort), reverse };
}

/** Columns that are empty without a flag. */
const ONLY_WITH: Readonly<Partial<Record<TopColumn, 'pss' | 'processes'>>> = {
  pss: 'pss',
  process: 'processes',
  run: 'processes',
};

/** Throws UsageError for a column that is empty. */
export function refuseOrder(flags: TopOrderFlags): void {
  const { by } = orderOf(flags);
  const needed = ONLY_WITH[by];
  if (needed !== undefined && !flags[needed]) {
    throw new UsageError('usage', `--sort ${by} needs --${needed}`);
  }
}
