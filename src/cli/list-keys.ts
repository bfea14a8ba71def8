import { TextList } from './text-list.js';
import type { ListKey } from './watch-list.js';

const OF_ALL = `q, Ctrl-C        quit
Esc              back, or no filter
arrows, PgUp, PgDn, Home, End, j, wheel
                 move; also to the sides
/                filter: what contains all words
Ctrl-L           draw the screen again
Ctrl-Z           stop it, until fg
Shift and mouse  select text, as without this screen`;

/** Those of lists that have an order. */
export const SORT_KEYS = `s or >, <        sort by the next column, or the one before
R                reverse the order`;

/** `?` tells the keys of all lists, and those of this one. */
export function keysKey(own: string): ListKey {
  return {
    letter: '?',
    hint: 'keys',
    press: () => ({ open: new TextList('Keys', () => () => `${OF_ALL}\n\n${own}\n`) }),
  };
}
