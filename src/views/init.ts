import { thermosCommand } from '../discovery/advised-command.js';
import { visible } from '../text/escape.js';

/** What was written, and what to do with it. `file`: as it was named. Pure. */
export function initText(file: string): string {
  const commands = ['inspect', 'run'].map((id) => `  ${thermosCommand([id], {}, [file])}\n`);
  return `${visible(file)} is written. What to do next:\n\n${commands.join('')}`;
}
