/** The names that a mistyped word may mean, nearest first. Pure. */
export function nearest(word: string, known: readonly string[]): string[] {
  return known
    .map((name) => ({ name, far: word.length > 1 && name.startsWith(word) ? 0 : distance(word, name) }))
    .filter(({ name, far }) => far <= Math.min(2, Math.ceil(name.length / 2)))
    .sort((a, b) => a.far - b.far)
    .map(({ name }) => name);
}

/** Levenshtein's, with two neighbours changed round counted once. */
function distance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    const above = rows[i - 1] as number[];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let least = Math.min(
        (above[j] as number) + 1,
        (row[j - 1] as number) + 1,
        (above[j - 1] as number) + (same ? 0 : 1),
      );
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        least = Math.min(least, (rows[i - 2]?.[j - 2] as number) + 1);
      }
      row.push(least);
    }
    rows.push(row);
  }
  return rows[a.length]?.[b.length] as number;
}
