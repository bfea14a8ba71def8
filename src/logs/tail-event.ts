import type { LineSource } from './line-output.js';
import type { TimeWindow } from './time-window.js';

/** What happens while logs are printed, for display. */
export type TailEvent =
  /** The logs exist and are empty. */
  | { kind: 'empty' }
  /** Nothing was printed yet, and the logs are followed; `lines`: whether there are lines, of which none was chosen. */
  | { kind: 'waiting'; logs: boolean; lines: boolean }
  /** Runs and files outside a window are left out: this many logs; the last of those before it ended then. */
  | { kind: 'window'; window: TimeWindow; left_out: number; written_ms?: number }
  /** Times of arrival were asked for, but nothing arrives. */
  | { kind: 'no-arrival' }
  /** A task that the word matches too appeared while the others were followed. */
  | { kind: 'new-task'; task_id: string }
  /** The user asked to follow, but nothing runs. */
  | { kind: 'not-followed'; task_ids: string[] }
  | { kind: 'not-started'; task_id: string; processes: string[]; over: boolean }
  | { kind: 'restart'; task_id: string; process: string; run: number; state?: string; return_code?: number }
  /** The log was truncated, and there is no copy of the unread part. */
  | { kind: 'truncated'; source: LineSource }
  /** The log was rotated more often than there are backups since it was last read. */
  | { kind: 'overtaken'; source: LineSource }
  | { kind: 'end'; task_id: string; state: string; process?: string };
