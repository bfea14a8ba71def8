import type { Terminal } from './terminal.js';
import type { TopSession } from './top.js';

export async function watchTop(_session: TopSession, _terminal: Terminal): Promise<number> {
  return 0;
}
