import * as Flags from '@oclif/core/flags';

/** For scripts that have an id: of a task that is gone meanwhile, it must not mean another one. */
export const EXACT_FLAG = {
  exact: Flags.boolean({ summary: 'Take TASK as a whole task id only, never as a pattern or a path.' }),
};
