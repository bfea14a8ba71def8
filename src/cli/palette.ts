import { Chalk } from 'chalk';
import type { Palette } from '../views/parts/paint.js';

/**
 * The palette with colour: the sixteen ANSI ones, that every terminal has. The level is given, because chalk
 * itself neither heeds NO_COLOR nor decides for each stream apart.
 */
export function colouredPalette(): Palette {
  const { green, yellow, red, cyan, dim, bold, magenta, blue } = new Chalk({ level: 1 });
  return { green, yellow, red, cyan, dim, bold, prefixes: [cyan, yellow, green, magenta, blue, red] };
}
