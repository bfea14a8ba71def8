/** How gc says why something goes, stays or is refused. Pure. */
import { shellArguments } from '../text/shell.js';
import type { Objection } from './guards.js';
import type { Finish } from './subject.js';

/** How lengths of time, sizes and moments are written. */
export interface Wording {
  duration: (milliseconds: number) => string;
  size: (bytes: number) => string;
  timestamp: (milliseconds: number) => string;
}

const FILES = { 'task-file': 'task file', 'stream-file': 'stream' } as const;

/** `finished 2h ago`; where the stream does not say when, what does. */
export function finishWords(age: number, by: Finish['by'], words: Pick<Wording, 'duration'>): string {
  const since = `finished ${words.duration(Math.max(0, age))} ago`;
  return by === 'status' ? since : `${since} by the time of its ${FILES[by]}`;
}

export function foreignWords(uid: number, authors: readonly number[]): string {
  return `it belongs to uid ${uid}, but its checkpoint may be written by uid ${authors.join(', ')}`;
}

export function userWords({ pid, how }: { pid: number; how: string }): string {
  return `process ${pid} ${how}`;
}

/** Kept, with the words that would remove it. What tells of it stays, so that they can be said; not for nothing. */
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
