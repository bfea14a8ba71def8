import type { Awaitable } from '../task/gatherer.js';
import type { ListContent } from './list-screen.js';
import type { Style } from './terminal.js';
import type { ListKey, ListRequest, ListSource } from './watch-list.js';

/** A text on a screen, above which it says what it is. It is made again after each interval. */
export class TextList implements ListSource {
  readonly orders: readonly string[] = [];
  readonly keys: readonly ListKey[];
  readonly #title: string;
  readonly #make: () => Awaitable<(style: Style) => string>;
  #text: (style: Style) => string = () => '';

  /** `make`: gives what draws the text; its lines are escaped. */
  constructor(title: string, make: () => Awaitable<(style: Style) => string>, keys: readonly ListKey[] = []) {
    this.#title = title;
    this.#make = make;
    this.keys = keys;
  }

  async look(): Promise<boolean> {
    this.#text = await this.#make();
    return true;
  }

  content({ filter, style }: ListRequest): ListContent {
    const lines = this.#text(style).trimEnd().split('\n');
    return {
      summary: [style.paint.bold(this.#title)],
      titles: undefined,
      lines: lines.filter((line) => hasWords(line, filter)),
      unit: 'line',
      notes: [],
    };
  }
}

/** Does the text contain each of the words? Capital letters make no difference. */
export function hasWords(text: string, words: string): boolean {
  const lower = text.toLowerCase();
  return words
    .toLowerCase()
    .split(' ')
    .every((word) => lower.includes(word));
}
