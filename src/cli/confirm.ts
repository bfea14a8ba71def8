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
      const answer = readLine();
      // Nobody has ended the line of the question.
      if (answer === undefined) terminal.writeError('\n');
      return answer !== undefined && /^y(?:es)?$/i.test(answer.trim());
    },
  };
}

/** A line of stdin, from the terminal; undefined if it ends before it, or cannot be read. */
function readLine(): string | undefined {
  const byte = Buffer.alloc(1);
  let line = '';
  for (;;) {
    try {
      if (readSync(0, byte) === 0) return line === '' ? undefined : line;
    } catch (error) {
      if (errnoOf(error) !== 'EAGAIN') return undefined;
      pause(20);
      continue;
    }
    const char = byte.toString('latin1');
    if (char === '\n') return line;
    line += char;
  }
}
