import { visible } from '../text/escape.js';

/**
 * Makes the output of a config safe to show: apart from plain text, only newlines and tabs stay as they are.
 * Nobody asked for raw bytes, so a pipe gets the same as a terminal.
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

  /** Ends an unfinished line, so that later messages start on a new one. */
  end(): void {
    if (this.#inLine) this.print('\n');
  }
}
