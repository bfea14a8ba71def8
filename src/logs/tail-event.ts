import type { LineSource } from './line-output.js';

/** What happens while logs are printed, for people. */
export type TailEvent =
  /** The logs are there and empty. */
  | { kind: 'empty' }
  /** Nothing was printed yet, and the logs are followed. */
  | { kind: 'waiting' }
  /** To follow was asked for, but nothing runs. */
  | { kind: 'not-followed'; task_ids: string[] }
  | { kind: 'not-started'; processes: string[]; over: boolean }
  | { kind: 'restart'; task_id: string; process: string; run: number; state?: string; return_code?: number }
  /** The log was made shorter, and there is no copy of what was not read yet. */
  | { kind: 'truncated'; source: LineSource }
  /** The log was rotated more often than there are backups since it was last read. */
  | { kind: 'overtaken'; source: LineSource }
  | { kind: 'end'; task_id: string; state: string; process?: string };
