import { TextList } from './text-list.js';
import type { ListKey } from './watch-list.js';

const OF_ALL = `q, Ctrl-C        quit
Esc              back, or no filter
arrows, PgUp, PgDn, Space, Home, End, g, G, j, wheel
                 move; also to the sides
/                filter: what contains all words
Ctrl-L           draw the screen again
Ctrl-Z           stop it, until fg
Shift and mouse  select text, as without this screen`;

/** Those of lists that have an order; `reverse`: the letter that is free for it. */
export function sortKeys(reverse: 'r' | 'R'): string {
  return `s or >, <        the next order, or the one before
${reverse}                reverse the order`;
}

/** `?` shows the keys of all lists, and those of this one, until it is pressed again. */
export function keysKey(own: string): ListKey {
  return {
    letter: '?',
    hint: 'keys',
    press: () => ({
      open: new TextList('Keys', () => () => `${OF_ALL}\n\n${own}\n`, [{ letter: '?', press: () => 'back' }]),
    }),
  };
}
