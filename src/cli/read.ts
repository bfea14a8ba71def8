import { setTimeout as sleep } from 'node:timers/promises';
import {
  checkpointNamed,
  listRecords,
  type RecordReceiver,
  type Replayed,
  readCheckpoint,
} from '../app/read-checkpoint.js';
import type { RootFlags } from '../app/search.js';
import type { Problem } from '../errors/problem.js';
import type { AgentFlags } from './agent-flags.js';
import { agentsOf } from './agents.js';
import type { Terminal } from './terminal.js';

/** How a checkpoint is read: see `readCheckpoint` and `listRecords`. */
export interface CheckpointReader {
  replay(): Replayed | Promise<Replayed>;
  list(follow: boolean, receiver: RecordReceiver): Promise<Problem | undefined>;
}

/** Reads the checkpoint that the word names, on this host or on the agents that the flags or the word name. */
export async function readerOf(
  word: string,
  flags: AgentFlags & RootFlags & { json: boolean },
  terminal: Terminal,
): Promise<CheckpointReader> {
  const agents = await agentsOf(flags, terminal, [word]);
  if (agents === undefined) {
    const checkpoint = checkpointNamed(word, flags);
    return {
      replay: () => readCheckpoint(checkpoint),
      list: (follow, receiver) => listRecords(checkpoint, follow, receiver),
    };
  }
  const { listRemoteRecords, readRemote } = await import('../app/read-remote.js');
  const { gatherer, close } = agents;
  return {
    replay: () => readRemote(word, gatherer).finally(close),
    list: (follow, receiver) => listRemoteRecords(word, follow, gatherer, receiver, sleep).finally(close),
  };
}
