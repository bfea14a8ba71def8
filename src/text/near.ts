/** How many letters may differ between a mistyped word and the intended one. */
const MOST_EDITS = 3;
const MOST_SHOWN = 5;

/**
 * The known names that an unknown word may have meant, nearest first, at most five: those that begin with it, that
 * contain it, both ignoring case, and that differ in at most a third of its letters. For a single letter, only names
 * that begin with it count. Pure.
 */
export function nearest(word: string, known: Iterable<string>): string[] {
  const wanted = word.toLowerCase();
  if (wanted === '') return [];
  const most = wanted.length < 2 ? 0 : Math.min(MOST_EDITS, Math.max(1, Math.floor(wanted.length / 3)));
  const found: { name: string; far: number }[] = [];
  for (const name of new Set(known)) {
    const at = name.toLowerCase().indexOf(wanted);
    const far = at === 0 ? 0 : at > 0 ? 0.5 : editDistance(word, name, most);
    if (far <= most) found.push({ name, far });
  }
  found.sort((a, b) => a.far - b.far || (a.name < b.name ? -1 : 1));
  return found.slice(0, MOST_SHOWN).map(({ name }) => name);
}

/**
 * How many letters differ between two words (Levenshtein), where two swapped neighbours count once; Infinity as soon as
 * the result is certainly more than `most`.
 */
export function editDistance(a: string, b: string, most: number): number {
  if (Math.abs(a.length - b.length) > most) return Number.POSITIVE_INFINITY;
  let last: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (above[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let least = Math.min(change, (above[j] as number) + 1, (row[j - 1] as number) + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        least = Math.min(least, (last[j - 2] as number) + 1);
      }
      row.push(least);
    }
    // Swapped neighbours can still improve on one of the rows.
    if (Math.min(...row, ...above) > most) return Number.POSITIVE_INFINITY;
    last = above;
    above = row;
  }
  return above[b.length] as number;
}
