import { readFileSync } from 'node:fs';

/** The text of a file of /proc; empty if there is none, or it may not be read. */
export function procText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
