import { UsageError } from '../errors/errors.js';
import { nearest } from '../text/near.js';
import { parseSignal, SIGNAL_NAMES } from '../text/signals.js';

/** The number of a signal that a person named. Throws UsageError with those that there are. */
export function signalNumber(word: string): number {
  const number = parseSignal(word);
  if (number !== undefined) return number;
  const name = word.toUpperCase().replace(/^SIG/, '');
  const names = SIGNAL_NAMES.map((each) => each.slice('SIG'.length));
  const near = nearest(name, names).slice(0, 3);
  const meant = near.length === 0 ? '' : `did you mean ${near.join(' or ')}? `;
  const all = `${names.join(', ')}, RTMIN+N, RTMAX-N, or a number from 1 to 64`;
  throw new UsageError('usage', `'${word}' is not a signal`, `${meant}the signals are ${all}`);
}
