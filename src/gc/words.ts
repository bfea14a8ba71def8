/** The messages of gc about why something goes, stays or is refused. Pure. */
import { shellArguments } from '../text/shell.js';
import type { Objection } from './guards.js';
import type { Finish } from './subject.js';

/** Formats durations, sizes and times. */
export interface Wording {
  duration: (milliseconds: number) => string;
  size: (bytes: number) => string;
  timestamp: (milliseconds: number) => string;
}

const FILES = { 'task-file': 'task file', 'stream-file': 'stream' } as const;

/** `finished 2h ago`; names the source of the time if it is not the stream. */
export function finishWords(age: number, by: Finish['by'], words: Pick<Wording, 'duration'>): string {
  const since = `finished ${words.duration(Math.max(0, age))} ago`;
  return by === 'status' ? since : `${since} by the time of its ${FILES[by]}`;
}

export function foreignWords(uid: number, authors: readonly number[]): string {
  return `it belongs to uid ${uid}, but its checkpoint can be written by uid ${authors.join(', ')}`;
}

export function userWords({ pid, how }: { pid: number; how: string }): string {
  return `process ${pid} ${how}`;
}

/** Kept, with the flags that would remove it. The metadata stays so that they can be used, unless it is empty. */
export function withoutEvidence(
  { why, empty }: { why: string; empty?: boolean },
  kind: 'logs' | 'data',
  home: string,
): Objection {
  const said = `nothing shows that it is the task's own: ${why}`;
  if (empty) return { verdict: 'kept', why: said };
  const words = `--sandbox ${shellArguments(home)}${kind === 'logs' ? ' --keep-data' : ''}`;
  const leave = kind === 'logs' ? '--keep-logs' : '--keep-data';
  return {
    verdict: 'kept',
    why: said,
    hint: `remove it with ${words}, or leave it with ${leave}`,
    holds: true,
  };
}
