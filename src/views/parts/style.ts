import type { Palette } from './paint.js';

/** What a view needs to know of the stream it is written to. */
export interface Style {
  /** Columns; undefined if the stream is not a terminal: nothing is cut then. */
  width: number | undefined;
  /** Lines of the terminal; undefined if the stream is not one, or if all of the text is to be written anyway. */
  height?: number;
  /** True on a terminal: relative ages, notices. False: RFC 3339 times. */
  tty: boolean;
  /** 0 no colour, 1 the sixteen ANSI colours. */
  colour: 0 | 1;
  /** UTF-8 symbols may be drawn. */
  unicode: boolean;
  /** Milliseconds since the epoch. */
  now: number;
  /** Colours by meaning; all leave text as it is if `colour` is 0. */
  paint: Palette;
}

/**
 * The style by another clock, which is a number of milliseconds ahead of ours: that of the host whose times are shown.
 */
export function styleBy(style: Style, ahead: number | undefined): Style {
  return ahead ? { ...style, now: style.now + ahead } : style;
}
