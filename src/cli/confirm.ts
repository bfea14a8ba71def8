import { readSync } from 'node:fs';
import { errnoOf, UsageError } from '../errors/errors.js';
import { visible } from '../text/escape.js';
import type { Terminal } from './terminal.js';

/** Throws UsageError `confirmation-needed`, naming the flag, if nobody can be asked. */
export function needConfirmation(yes: boolean, terminal: Terminal, flag: string): void {
  if (yes || terminal.canAsk) return;
  throw new UsageError(
    'confirmation-needed',
    `this changes the host, and there is no terminal to ask for confirmation: give ${flag}`,
    'see first what it would do, with --dry-run',
  );
}

/** Asks on stderr; only `y` and `yes` are a yes. */
export function confirmed(question: string, terminal: Terminal): boolean {
  terminal.writeError(`${visible(question)} [y/N] `);
  return /^y(?:es)?$/i.test(readLine().trim());
}

/** A line of stdin, from the terminal; empty at its end. */
function readLine(): string {
  const byte = Buffer.alloc(1);
  let line = '';
  for (;;) {
    try {
      if (readSync(0, byte) === 0) return line;
    } catch (error) {
      if (errnoOf(error) !== 'EAGAIN') return line;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
      continue;
    }
    const char = byte.toString('latin1');
    if (char === '\n') return line;
    line += char;
  }
}
