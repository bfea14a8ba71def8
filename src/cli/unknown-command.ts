import { ThermosError } from '../errors/errors.js';
import { EXIT } from '../errors/exit-codes.js';

/** The error for a first word that is no command, with the nearest ones as a hint. Exit 2. */
export function unknownCommand(word: string, known: readonly string[]): ThermosError {
  const near = known.filter(
    (name) => distance(word, name) <= 2 || (word.length > 1 && name.startsWith(word)),
  );
  const hint =
    near.length > 0
      ? `did you mean ${near.map((name) => `'thermos ${name}'`).join(' or ')}?`
      : "see 'thermos help' for the commands";
  return new ThermosError('unknown-command', `'${word}' is not a thermos command`, {
    exitCode: EXIT.usage,
    hint,
  });
}

/** Levenshtein distance of two short words. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      next[j] = Math.min((row[j] as number) + 1, (next[j - 1] as number) + 1, (row[j - 1] as number) + cost);
    }
    row = next;
  }
  return row[b.length] as number;
}
