import { isUtf8 } from 'node:buffer';

const REPLACEMENT = '\ufffd';
const REPLACEMENT_UNIT = 0xfffd;

/**
 * Decodes bytes[start, end) as the original does: UTF-8 by the rules of Python 2.7 with `errors='replace'`.
 * For valid UTF-8, the result is the usual one; otherwise encoded surrogates (ED A0 80 …) are accepted, and
 * U+FFFD replaces slightly different byte ranges than in the WHATWG rules.
 */
export function decodeUtf8(bytes: Buffer, start: number, end: number): string {
  const text = bytes.toString('utf8', start, end);
  if (!text.includes(REPLACEMENT)) return text;
  return isUtf8(bytes.subarray(start, end)) ? text : decodeLenient(bytes, start, end);
}

function sequenceLength(lead: number): number {
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead <= 0xdf) return 2;
  if (lead >= 0xe0 && lead <= 0xef) return 3;
  if (lead >= 0xf0 && lead <= 0xf4) return 4;
  return 0;
}

const isContinuation = (byte: number): boolean => (byte & 0xc0) === 0x80;

/** How many UTF-16 units are made a string at once: added one by one, they take up 16 times as much memory. */
const PIECE = 4096;
/** A sequence becomes two units at most. */
const units = new Uint16Array(PIECE + 1);

const taken = (used: number): string => String.fromCharCode.apply(null, units.subarray(0, used) as never);

/** CPython 2.7 `PyUnicode_DecodeUTF8Stateful`, including the error branches. */
function decodeLenient(bytes: Uint8Array, start: number, end: number): string {
  let text = '';
  let used = 0;
  let at = start;
  while (at < end) {
    if (used >= PIECE) {
      text += taken(used);
      used = 0;
    }
    const lead = bytes[at] as number;
    const length = sequenceLength(lead);
    const bad = length === 0 ? 1 : badLength(bytes, at, length, end);
    if (bad > 0) {
      units[used++] = REPLACEMENT_UNIT;
      at += bad;
      continue;
    }
    let code = length === 1 ? lead : lead & (0xff >> (length + 1));
    for (let k = 1; k < length; k++) code = (code << 6) | ((bytes[at + k] as number) & 0x3f);
    if (code > 0xffff) {
      units[used++] = 0xd800 + ((code - 0x1_0000) >> 10);
      units[used++] = 0xdc00 + ((code - 0x1_0000) & 0x3ff);
    } else units[used++] = code;
    at += length;
  }
  return text + taken(used);
}

/** 0 if a complete sequence is at `at`, else how many bytes one U+FFFD replaces. */
function badLength(bytes: Uint8Array, at: number, length: number, end: number): number {
  if (length === 1) return 0;
  if (at + length > end) {
    let cut = 1;
    // The original adds up the positions instead of counting them.
    for (let k = 1; at + k < end && isContinuation(bytes[at + k] as number); k++) cut += k;
    return cut;
  }
  const lead = bytes[at] as number;
  const second = bytes[at + 1] as number;
  const inRange =
    !(lead === 0xe0 && second < 0xa0) &&
    !(lead === 0xf0 && second < 0x90) &&
    !(lead === 0xf4 && second > 0x8f);
  let continued = 0;
  while (continued < length - 1 && isContinuation(bytes[at + 1 + continued] as number)) continued += 1;
  if (inRange && continued === length - 1) return 0;
  return 1 + Math.min(continued, length - 2);
}
