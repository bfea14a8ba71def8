import type { LineSource } from './line-output.js';

/** What happens while logs are printed, for display. */
export type TailEvent =
  /** The logs exist and are empty. */
  | { kind: 'empty' }
  /** Nothing was printed yet, and the logs are followed. */
  | { kind: 'waiting' }
  /** The user asked to follow, but nothing runs. */
  | { kind: 'not-followed'; task_ids: string[] }
  | { kind: 'not-started'; processes: string[]; over: boolean }
  | { kind: 'restart'; task_id: string; process: string; run: number; state?: string; return_code?: number }
  /** The log was truncated, and there is no copy of the unread part. */
  | { kind: 'truncated'; source: LineSource }
  /** The log was rotated more often than there are backups since it was last read. */
  | { kind: 'overtaken'; source: LineSource }
  | { kind: 'end'; task_id: string; state: string; process?: string };
