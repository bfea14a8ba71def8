/** Puts colour on text that is already escaped, cut and padded. */
export type Paint = (text: string) => string;

/**
 * Few colours, each with one meaning. Colour says nothing that a word does not say too. Views get a palette
 * in their `Style`; the coloured one is made from chalk in `src/cli`, and only where colour is wanted.
 */
export interface Palette {
  /** Finished well. */
  readonly green: Paint;
  /** Waiting, or a warning. */
  readonly yellow: Paint;
  /** Failed, lost, killed, or an error. */
  readonly red: Paint;
  /** Running. */
  readonly cyan: Paint;
  /** Metadata. */
  readonly dim: Paint;
  /** Titles. */
  readonly bold: Paint;
  /** To tell things apart that have no meaning of their own: the prefixes of merged logs, in turn. */
  readonly prefixes: readonly Paint[];
}

const asItIs: Paint = (text) => text;

/** No colour. */
export const PLAIN: Palette = {
  green: asItIs,
  yellow: asItIs,
  red: asItIs,
  cyan: asItIs,
  dim: asItIs,
  bold: asItIs,
  prefixes: [asItIs],
};

const MEANING: ReadonlyMap<string, keyof Omit<Palette, 'prefixes'>> = new Map([
  ['SUCCESS', 'green'],
  ['WAITING', 'yellow'],
  ['FORKED', 'cyan'],
  ['RUNNING', 'cyan'],
  ['ACTIVE', 'cyan'],
  ['CLEANING', 'yellow'],
  ['FINALIZING', 'yellow'],
  ['FAILED', 'red'],
  ['KILLED', 'red'],
  ['LOST', 'red'],
  ['UNKNOWN', 'dim'],
  ['ok', 'dim'],
  ['unknown', 'dim'],
  ['foreign-pids', 'yellow'],
  ['leftovers', 'yellow'],
  ['runner-gone', 'red'],
  ['host-rebooted', 'red'],
]);

/** The colour of a task's state, a process's state or a verdict; none for a word that is not known. */
export function paintOf(palette: Palette, word: string): Paint {
  const colour = MEANING.get(word);
  return colour === undefined ? asItIs : palette[colour];
}
