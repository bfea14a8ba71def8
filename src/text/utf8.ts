/**
 * How many of the bytes are whole characters of UTF-8: all but the beginning of a character at their end. All of them if
 * they do not end as UTF-8 does. Pure.
 */
export function wholeCharacters(bytes: Uint8Array): number {
  const { length } = bytes;
  for (let back = 1; back <= Math.min(4, length); back++) {
    const byte = bytes[length - back] as number;
    // The bytes of a character after its first one.
    if ((byte & 0xc0) === 0x80) continue;
    const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return back < needed && byte < 0xf8 ? length - back : length;
  }
  return length;
}
