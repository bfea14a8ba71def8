/**
 * How many letters differ between two words (Levenshtein), two neighbours changed round counted once; Infinity
 * as soon as it is certainly more than `most`. For hints at what a mistyped word may mean.
 */
export function editDistance(a: string, b: string, most = Number.POSITIVE_INFINITY): number {
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
    // A neighbour pair can still make good one of the rows.
    if (Math.min(...row, ...above) > most) return Number.POSITIVE_INFINITY;
    last = above;
    above = row;
  }
  return above[b.length] as number;
}
