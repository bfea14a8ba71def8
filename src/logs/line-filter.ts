import type { LineFinder } from './literal-finder.js';
import type { LinePattern } from './pattern.js';

/** Which lines are shown: those that match `grep`, if it is given, and not `exclude`. */
export interface LineChoice {
  grep?: LinePattern;
  exclude?: LinePattern;
}

/** Chooses lines of one log. */
export class LineFilter {
  readonly #grep: LineFinder | undefined;
  readonly #exclude: LineFinder | undefined;

  constructor({ grep, exclude }: LineChoice) {
    this.#grep = grep?.finder();
    this.#exclude = exclude?.finder();
  }

  /** Gives the chosen lines, of whole lines, in their order; lines that follow one another together. */
  each(bytes: Buffer, chosen: (from: number, to: number) => void): void {
    const grep = this.#grep;
    const exclude = this.#exclude;
    let from = 0;
    let to = 0;
    if (grep === undefined) {
      exclude?.each(bytes, (start, end) => {
        if (start > from) chosen(from, start);
        from = end;
      });
      if (from < bytes.length) chosen(from, bytes.length);
      return;
    }
    grep.each(bytes, (start, end) => {
      if (exclude?.matches(bytes, start, end)) return;
      if (start !== to) {
        if (to > from) chosen(from, to);
        from = start;
      }
      to = end;
    });
    if (to > from) chosen(from, to);
  }
}
