/** How many letters may differ between a mistyped id and the one that was meant. */
const MOST_EDITS = 3;
const MOST_SHOWN = 5;

/** The ids that a word which matched none may have meant: those that contain it, or are close to it. Pure. */
export function nearIds(word: string, ids: Iterable<string>): string[] {
  const wanted = word.toLowerCase();
  const found: { id: string; far: number }[] = [];
  for (const id of new Set(ids)) {
    const far = id.toLowerCase().includes(wanted) ? 0 : edits(word, id);
    if (far <= Math.min(MOST_EDITS, word.length / 3)) found.push({ id, far });
  }
  found.sort((a, b) => a.far - b.far || (a.id < b.id ? -1 : 1));
  return found.slice(0, MOST_SHOWN).map(({ id }) => id);
}

/** Levenshtein's distance, or Infinity as soon as it is certainly more than `MOST_EDITS`. */
function edits(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > MOST_EDITS) return Number.POSITIVE_INFINITY;
  let above = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (above[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(change, (above[j] as number) + 1, (row[j - 1] as number) + 1));
    }
    if (Math.min(...row) > MOST_EDITS) return Number.POSITIVE_INFINITY;
    above = row;
  }
  return above[b.length] as number;
}
