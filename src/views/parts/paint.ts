/** Colours text that is already escaped, cut and padded. */
export type Paint = (text: string) => string;

/**
 * Few colours, each with one meaning. Colour never carries information that the words do not. Views get a palette
 * in their `Style`; the coloured one is made from chalk in `src/cli`, and only where colour is wanted.
 */
export interface Palette {
  /** Succeeded. */
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
  /** To distinguish things without a meaning of their own: the prefixes of merged logs, in turn. */
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

/** The colour of a task's state, a process's state or a verdict; none for an unknown word. */
export function paintOf(palette: Palette, word: string): Paint {
  const colour = MEANING.get(word);
  return colour === undefined ? asItIs : palette[colour];
}
