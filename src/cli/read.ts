import { setTimeout as sleep } from 'node:timers/promises';
import { listRecords, type RecordReceiver, type Replayed, readCheckpoint } from '../app/read-checkpoint.js';
import type { Problem } from '../errors/problem.js';
import type { AgentFlags } from './agent-flags.js';
import { agentsOf } from './agents.js';
import type { Terminal } from './terminal.js';

/** How checkpoints are read: see `readCheckpoint` and `listRecords`. */
export interface CheckpointReader {
  replay(word: string): Replayed | Promise<Replayed>;
  list(word: string, follow: boolean, receiver: RecordReceiver): Promise<Problem | undefined>;
}

/** Reads checkpoints of this host, or of the agents that the flags or the word name. */
export async function readerOf(
  word: string,
  flags: AgentFlags & { json: boolean },
  terminal: Terminal,
): Promise<CheckpointReader> {
  const agents = await agentsOf(flags, terminal, [word]);
  if (agents === undefined) return { replay: readCheckpoint, list: listRecords };
  const { listRemoteRecords, readRemote } = await import('../app/read-remote.js');
  const { gatherer, close } = agents;
  return {
    replay: (word) => readRemote(word, gatherer).finally(close),
    list: (word, follow, receiver) =>
      listRemoteRecords(word, follow, gatherer, receiver, sleep).finally(close),
  };
}
