import type { RemoteEntry } from './answers.js';

/** What an agent gives in one piece at most, with pages of 4 KiB. */
export const PIECE_BYTES = 64 * 1024;

export interface RemoteListing {
  readonly entries: readonly RemoteEntry[];
  readonly complete: boolean;
  /** As it was answered, if it was asked for with one that is known: by it, the client can tell that a later one is the same. */
  readonly raw?: string;
}

/** In the place of one that is known: what comes instead can be told from later ones. */
export const NOT_LISTED: RemoteListing = { entries: [], complete: false };

/**
 * The files that an agent serves. Everything rejects if the agent does not give what was asked for; a client that knows
 * why rejects with an AgentFailure. Calls that are `urgent`, because a person waits for them, begin before others.
 */
export interface AgentFiles {
  /** What is in a directory: the very listing that is known if it is certainly still the same. */
  list(path: string, urgent?: boolean, known?: RemoteListing): Promise<RemoteListing>;
  /** Up to `length` bytes of a file, at most PIECE_BYTES; none at its end. */
  read(path: string, offset: number, length: number, urgent?: boolean): Promise<Buffer>;
  /**
   * All of a file of which it is known that it is not longer than PIECE_BYTES: in less time than `read`, where there is such
   * a way. Undefined if it has become too long.
   */
  whole?(path: string, urgent?: boolean): Promise<Buffer | undefined>;
}
