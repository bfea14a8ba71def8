import type { Style } from './style.js';

/** The line below a list that a terminal shows in part; `parts` are such as `3 more lines`. Empty without them. */
export function moreLine(...parts: readonly (string | undefined)[]): string {
  const present = parts.filter((part) => part !== undefined);
  return present.length === 0 ? '' : `  and ${present.join(' and ')}: --verbose shows them\n`;
}

/** `3 more lines`, `1 more process`; undefined for none. */
export function more(count: number, one: string, many = `${one}s`): string | undefined {
  return count <= 0 ? undefined : `${count} more ${count === 1 ? one : many}`;
}

export function linesText(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('');
}

/** By how many lines the terminal is higher than the 24 for which lists are folded. */
export function spareLines({ height = 24 }: Style): number {
  return Math.max(0, height - 24);
}

/** As many lines more are shown, too, instead of the one that counts them. */
const SLACK = 3;

/** The first lines, about `most` with the line that says how many more there are. */
export function firstLines(
  lines: readonly string[],
  most: number,
  ...parts: readonly (string | undefined)[]
): string {
  const kept = lines.length <= most + SLACK ? lines : lines.slice(0, endOfSentence(lines, most - 1));
  return linesText(kept) + moreLine(more(lines.length - kept.length, 'line'), ...parts);
}

/** At most this line; less if a sentence that is wrapped would be cut there. */
function endOfSentence(lines: readonly string[], most: number): number {
  for (const end of [most, most - 1, most - 2]) if (!CONTINUED.test(lines[end] ?? '')) return end;
  return most;
}

/** A line of `proseRows` that continues the one above. */
const CONTINUED = /^ {4}(?!\| )/;
