import { catFiles } from '../app/cat.js';
import { localTasks } from '../app/local-tasks.js';
import type { WordsAnswer } from '../app/sandbox-word.js';
import type { RootFlags } from '../app/search.js';
import { encodePiece } from '../contracts/encode-files.js';
import { localSandbox } from '../sandbox/local-sandbox.js';
import { visibleLines } from '../text/escape.js';
import { jsonText } from '../text/json.js';
import type { AgentFlags } from './agent-flags.js';
import { agentsOf } from './agents.js';
import type { Terminal } from './terminal.js';

/** The flags of `cat`. */
export interface CatFlags extends RootFlags, AgentFlags {
  json: boolean;
  raw: boolean;
}

/** Prints files: as JSON, on a terminal with what is invisible shown, elsewhere byte for byte. */
export async function printFiles(
  words: readonly string[],
  flags: CatFlags,
  terminal: Terminal,
): Promise<WordsAnswer> {
  const agents = await agentsOf(flags, terminal, words);
  const ports = agents ?? { gatherer: localTasks(flags), sandboxOf: localSandbox };
  const escapes = terminal.stdoutIsTerminal && !flags.raw;
  const printing = catFiles(words, ports, ({ task_id, path, offset, bytes }) => {
    if (flags.json) terminal.write(`${jsonText(encodePiece(task_id, path, offset, bytes))}\n`);
    else terminal.write(escapes ? visibleLines(bytes.toString('utf8')) : bytes);
  });
  return printing.finally(() => agents?.close());
}
