import htm from 'htm';
import { Fragment, h, type VNode } from 'preact';
import render from 'preact-render-to-string';

/** A piece of a page. */
export type Html = VNode | VNode[] | readonly Html[] | string | number | undefined | false;

/**
 * Markup with values in it: html`<p class=${name}>${text}</p>`. Every value is escaped. What was read from a disk must be
 * made `visible` besides, because a browser shows neither control characters nor the direction of letters.
 */
export const html = htm.bind(h);

/** The markup of a piece, for a page or to measure it. */
export function markup(piece: Html): string {
  return render(h(Fragment, null, piece as VNode));
}

/** Markup that was made before. */
export function made(text: string, tag = 'div'): VNode {
  return h(tag, { dangerouslySetInnerHTML: { __html: text } });
}

/** How many bytes a text has in UTF-8. */
export function bytesOf(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit > 0x7f) bytes += unit > 0x7ff && (unit < 0xd800 || unit > 0xdfff) ? 2 : 1;
  }
  return bytes;
}
