import { statSync } from 'node:fs';
import { errnoOf } from '../errors/errors.js';

/** Would a more privileged user get through? */
export function isDenied(error: unknown): boolean {
  const code = errnoOf(error);
  return code === 'EACCES' || code === 'EPERM';
}

/**
 * The outermost of a directory and the given ones below it that we may not enter; undefined if we may enter all,
 * or if they do not exist.
 */
export function firstDenied(directory: string, ...below: string[]): string | undefined {
  let path = directory;
  for (const next of [undefined, ...below]) {
    if (next !== undefined) path = `${path}/${next}`;
    try {
      statSync(`${path}/.`);
    } catch (error) {
      return isDenied(error) ? path : undefined;
    }
  }
  return undefined;
}
