import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { errnoOf } from '../errors/errors.js';

/**
 * Makes a directory and its missing ancestors; true if it was missing. Node's own `recursive` throws ENOENT if the file
 * system is read-only or an entry is a broken link; this throws the real error.
 */
export function makeDirectory(path: string): boolean {
  try {
    return make(path);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT' || dirname(path) === path) throw error;
  }
  makeDirectory(dirname(path));
  return make(path);
}

function make(path: string): boolean {
  try {
    mkdirSync(path, 0o755);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST' && statSync(path).isDirectory()) return false;
    throw error;
  }
}
