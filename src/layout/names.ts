/** NAME_MAX of Linux. */
const LONGEST_NAME_BYTES = 255;

/**
 * Can the text be the name of a file in a directory? Task ids, process names and file names in a stream are checked by
 * this function, and no other, before they become part of a path. Pure.
 */
export function isName(text: string): boolean {
  if (text === '' || text === '.' || text === '..') return false;
  if (text.includes('/') || text.includes('\0')) return false;
  // A code unit takes three bytes at most.
  return text.length * 3 <= LONGEST_NAME_BYTES || Buffer.byteLength(text) <= LONGEST_NAME_BYTES;
}
