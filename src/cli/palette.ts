import { Chalk } from 'chalk';
import type { Palette } from '../views/parts/paint.js';

/**
 * The coloured palette: the sixteen ANSI colours, which every terminal has. The level is given because chalk
 * neither respects NO_COLOR nor decides for each stream separately.
 */
export function colouredPalette(): Palette {
  const { green, yellow, red, cyan, dim, bold, magenta, blue } = new Chalk({ level: 1 });
  return { green, yellow, red, cyan, dim, bold, prefixes: [cyan, yellow, green, magenta, blue, red] };
}
