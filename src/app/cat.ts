import { rootFlagsOf, thermosCommand } from '../discovery/advised-command.js';
import type { Problem } from '../errors/problem.js';
import { notRegular } from '../sandbox/problems.js';
import { textOf } from '../store/walk.js';
import { wholeCharacters } from '../text/utf8.js';
import {
  missingFile,
  type OpenSandbox,
  pathIn,
  type SandboxPorts,
  useWords,
  type WordsAnswer,
} from './sandbox-word.js';

const PIECE = 256 * 1024;

/** A part of a file. */
export interface Piece {
  task_id: string;
  /** Of the file, on its host. */
  path: string;
  /** Of the first byte, in the file. */
  offset: number;
  /** Valid until `write` returns; it is not cut inside a character of UTF-8. */
  bytes: Buffer;
}

/**
 * Hands the files that the words (`TASK:PATH`) name to `write`, one after the other, piece by piece, each as long as it is
 * when it is opened; an empty file is one empty piece. Rejects as `useWords`.
 */
export function catFiles(
  words: readonly string[],
  ports: SandboxPorts,
  write: (piece: Piece) => void,
): Promise<WordsAnswer> {
  return useWords(words, 'cat', ports, (sandbox) => catFile(sandbox, write));
}

async function catFile(sandbox: OpenSandbox, write: (piece: Piece) => void): Promise<Problem[]> {
  const { view, names, tree } = sandbox;
  const looked = await tree.look(names, true);
  if ('problem' in looked) return [looked.problem];
  if ('absent' in looked) throw missingFile(sandbox);
  const path = pathIn(sandbox, looked.entry.names);
  const { type } = looked.entry;
  if (type === 'directory') return [directory(sandbox, path)];
  if (type !== 'file') return [notRegular(path, type)];
  const opened = await tree.open(looked.entry.names);
  if ('problem' in opened) return [opened.problem];
  if ('absent' in opened) throw missingFile(sandbox);
  const { file } = opened;
  try {
    const size = file.entry.bytes;
    const buffer = Buffer.allocUnsafe(Math.min(PIECE, size));
    let offset = 0;
    do {
      const count = await file.readAt(buffer, Math.min(PIECE, size - offset), offset);
      const read = buffer.subarray(0, count);
      const whole = offset + count < size ? wholeCharacters(read) || count : count;
      write({ task_id: view.task_id, path, offset, bytes: read.subarray(0, whole) });
      offset += whole;
      // It became shorter.
      if (count === 0) break;
    } while (offset < size);
    return [];
  } finally {
    file.close();
  }
}

function directory({ view, names }: OpenSandbox, path: string): Problem {
  const shown = names.map(textOf).join('/');
  const word = shown === '' ? view.task_id : `${view.task_id}:${shown}`;
  return {
    ...notRegular(path, 'directory'),
    hint: `list it: ${thermosCommand(['ls'], rootFlagsOf(view.root), [word])}`,
  };
}
