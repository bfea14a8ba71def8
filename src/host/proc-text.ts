import { readFileSync } from 'node:fs';

/** The text of a file of /proc; empty if it does not exist or cannot be read. */
export function procText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
