import { editDistance } from '../text/edit-distance.js';

/** The names that a mistyped word may mean, nearest first. Pure. */
export function nearest(word: string, known: readonly string[]): string[] {
  return known
    .map((name) => ({ name, far: word.length > 1 && name.startsWith(word) ? 0 : editDistance(word, name) }))
    .filter(({ name, far }) => far <= Math.min(2, Math.ceil(name.length / 2)))
    .sort((a, b) => a.far - b.far)
    .map(({ name }) => name);
}
