import type { Stream } from '../layout/log-paths.js';
import type { TaskView } from '../task/view.js';
import { firstFailing } from '../task/why.js';
import type { LogFile } from './list-logs.js';

/** A log that is not empty. */
export interface OutputToRead {
  readonly process: string;
  readonly stream: Stream;
}

/**
 * The output of the process to investigate: its stderr, or its stdout if nothing is in stderr. Undefined if no process
 * failed, or if it left no output: no advice must lead there. Pure.
 */
export function outputToRead(view: TaskView, logs: readonly LogFile[]): OutputToRead | undefined {
  const failing = firstFailing(view);
  if (failing === undefined) return undefined;
  const { process, runs } = failing;
  const stream = (['stderr', 'stdout'] as const).find((name) =>
    logs.some(
      (log) => log.process === process && log.run === runs - 1 && log.stream === name && log.bytes > 0,
    ),
  );
  return stream && { process, stream };
}
