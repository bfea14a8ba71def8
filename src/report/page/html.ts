import htm from 'htm';
import { h, type VNode } from 'preact';
import render from 'preact-render-to-string';

/** A piece of a page. */
export type Html = VNode | VNode[] | string | undefined | false;

/**
 * Markup with values in it: html`<p class=${name}>${text}</p>`. Every value is escaped. What was read from a disk must be
 * made `visible` besides, because a browser shows neither control characters nor the direction of letters.
 */
export const html = htm.bind(h);

/** The markup of a piece, for a page or to measure it. */
export function markup(piece: Html): string {
  if (Array.isArray(piece)) return piece.map((each) => render(each)).join('');
  if (typeof piece === 'object') return render(piece);
  return piece === undefined || piece === false ? '' : render(h('i', null, piece)).slice(3, -4);
}
