import { UsageError } from '../errors/errors.js';
import { columnOf } from '../views/parts/top-columns.js';
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

/** Throws UsageError for a column that is empty without its flag. */
export function refuseOrder(flags: TopOrderFlags): void {
  if (orderOf(flags).by === 'pss' && !flags.pss) throw new UsageError('usage', '--sort pss needs --pss');
}
