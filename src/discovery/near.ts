import { editDistance } from '../text/edit-distance.js';

/** How many letters may differ between a mistyped id and the one that was meant. */
const MOST_EDITS = 3;
const MOST_SHOWN = 5;

/** The ids that a word which matched none may have meant: those that contain it, or are close to it. Pure. */
export function nearIds(word: string, ids: Iterable<string>): string[] {
  const wanted = word.toLowerCase();
  const found: { id: string; far: number }[] = [];
  for (const id of new Set(ids)) {
    const far = id.toLowerCase().includes(wanted) ? 0 : editDistance(word, id, MOST_EDITS);
    if (far <= Math.min(MOST_EDITS, word.length / 3)) found.push({ id, far });
  }
  found.sort((a, b) => a.far - b.far || (a.id < b.id ? -1 : 1));
  return found.slice(0, MOST_SHOWN).map(({ id }) => id);
}
