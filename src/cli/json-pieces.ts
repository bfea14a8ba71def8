import { jsonText } from '../text/json.js';

/** Approximate length of a piece, in characters. */
const PIECE = 1 << 16;

/**
 * A document as JSON with a newline, like `jsonText`, but in pieces: an answer about 10,000 tasks is not held a second
 * time as one string.
 */
export function* jsonPieces(document: object): Generator<string> {
  let text = '{';
  let first = true;
  for (const [key, value] of Object.entries(document)) {
    if (value === undefined) continue;
    text += `${first ? '' : ','}${jsonText(key)}:`;
    first = false;
    if (!Array.isArray(value)) {
      text += jsonText(value);
      continue;
    }
    text += '[';
    for (const [i, element] of value.entries()) {
      text += `${i === 0 ? '' : ','}${jsonText(element)}`;
      if (text.length < PIECE) continue;
      yield text;
      text = '';
    }
    text += ']';
  }
  yield `${text}}\n`;
}
