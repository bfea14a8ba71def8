import { visible } from '../text/escape.js';
import { size } from '../text/size.js';

/** A line for each thing that was copied. */
export function cpText(
  copied: readonly { path: string; to: string; files: number; bytes: number }[],
): string {
  return copied
    .map(({ path, to, files, bytes }) => {
      const count = `${files} ${files === 1 ? 'file' : 'files'}`;
      return `${visible(path)} -> ${visible(to)}: ${count}, ${size(bytes)}\n`;
    })
    .join('');
}
