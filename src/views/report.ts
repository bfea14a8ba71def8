import { visible } from '../text/escape.js';
import { size } from '../text/size.js';

interface WrittenPages {
  pages: readonly { path: string; bytes: number }[];
  index: string;
}

/** How many pages were written, and the one to open: that of the only task, or else the list. */
export function reportSummary({ pages, index }: WrittenPages): string {
  const [only] = pages;
  const bytes = pages.reduce((sum, page) => sum + page.bytes, 0);
  const open = pages.length === 1 && only !== undefined ? only.path : index;
  return `${pages.length} ${pages.length === 1 ? 'page' : 'pages'}, ${size(bytes)}: open ${visible(open)}\n`;
}
