import { visible } from '../text/escape.js';

/**
 * What a config prints, made safe to show: of all that is not plain text only newlines and tabs stay as they are.
 * Nobody has asked for raw bytes, so a pipe gets the same as a terminal.
 */
export class ConfigPrinting {
  readonly #write: (text: string) => void;
  #inLine = false;

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  print(text: string): void {
    if (text === '') return;
    this.#inLine = !text.endsWith('\n');
    this.#write(text.replace(/[^\n\t]+/g, visible));
  }

  /** What is said after it begins in a line of its own. */
  end(): void {
    if (this.#inLine) this.print('\n');
  }
}
