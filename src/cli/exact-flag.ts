import * as Flags from '@oclif/core/flags';
import { UsageError } from '../errors/errors.js';

/** For scripts that have an id: of a task that is gone meanwhile, it must not mean another one. */
export const EXACT_FLAG = {
  exact: Flags.boolean({ summary: 'Take TASK as a whole task id only, never as a pattern or a path.' }),
};

/** Throws UsageError for a script whose id is empty: without TASK, the command is about all tasks. */
export function requireTask(words: readonly string[], { exact }: { exact?: boolean }): void {
  if (exact && words.length === 0) throw new UsageError('usage', '--exact needs TASK');
}
