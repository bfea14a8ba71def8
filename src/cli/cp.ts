import { type CopyAnswer, copyFiles } from '../app/cp.js';
import { localTasks } from '../app/local-tasks.js';
import { NO_PROGRESS } from '../app/progress.js';
import type { RootFlags } from '../app/search.js';
import { localSandbox } from '../sandbox/local-sandbox.js';
import { size } from '../text/size.js';
import type { AgentFlags } from './agent-flags.js';
import { agentsOf } from './agents.js';
import { Interruption } from './interruption.js';
import { progressOn } from './progress.js';
import type { Terminal } from './terminal.js';

/** The flags of `cp`. */
export interface CpFlags extends RootFlags, AgentFlags {
  json: boolean;
  recursive: boolean;
  force: boolean;
  links: boolean;
}

/** How often signals are asked for while files are copied. */
const BREATH_MS = 20;

/** Copies files, with progress. A signal ends it between two pieces of a file, of which nothing is left then. */
export async function copyWithProgress(
  words: readonly string[],
  dest: string,
  flags: CpFlags,
  terminal: Terminal,
): Promise<CopyAnswer> {
  const { recursive, force, links } = flags;
  const agents = await agentsOf(flags, terminal, words, NO_PROGRESS);
  const ports = agents ?? { gatherer: localTasks(flags), sandboxOf: localSandbox };
  const interruption = new Interruption();
  let signal: number | undefined;
  void interruption.signalled.then((exitCode) => {
    signal = exitCode;
  });
  interruption.listen();
  const progress = progressOn(terminal, flags);
  progress.start('copying');
  let advance = { files: 0, bytes: 0 };
  let breathed = performance.now();
  const breathe = async () => {
    await new Promise((resolve) => setImmediate(resolve));
    breathed = performance.now();
    progress.update({ done: advance.files, what: `files, ${size(advance.bytes)}` });
    return signal !== undefined;
  };
  const shell = {
    update: (files: number, bytes: number) => {
      advance = { files, bytes };
    },
    breathe: () => (performance.now() - breathed < BREATH_MS ? undefined : breathe()),
  };
  try {
    const answer = await copyFiles(
      words,
      dest,
      { recursive, force, links, cwd: process.cwd() },
      ports,
      shell,
    );
    return signal === undefined ? answer : { ...answer, exitCode: signal as CopyAnswer['exitCode'] };
  } finally {
    progress.stop();
    interruption.close();
    agents?.close();
  }
}
