import { readSync } from 'node:fs';
import type { Confirmation } from '../app/confirmation.js';
import { errnoOf } from '../errors/errors.js';
import { pause } from '../host/pause.js';
import { visible } from '../text/escape.js';
import type { Style, Terminal } from './terminal.js';

/** Shows on stderr what would be done and asks the person at the terminal; only `y` and `yes` mean yes. */
export function confirmationOn<Shown>(
  terminal: Terminal,
  draw: (shown: Shown, style: Style) => string,
): Confirmation<Shown> {
  return {
    canAsk: terminal.canAsk,
    confirm(question, shown) {
      terminal.writeError(draw(shown, terminal.style(2)));
      terminal.writeError(`${visible(question)} [y/N] `);
      return /^y(?:es)?$/i.test(readLine().trim());
    },
  };
}

/** A line of stdin, from the terminal; empty at the end of input. */
function readLine(): string {
  const byte = Buffer.alloc(1);
  let line = '';
  for (;;) {
    try {
      if (readSync(0, byte) === 0) return line;
    } catch (error) {
      if (errnoOf(error) !== 'EAGAIN') return line;
      pause(20);
      continue;
    }
    const char = byte.toString('latin1');
    if (char === '\n') return line;
    line += char;
  }
}
