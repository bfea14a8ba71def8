import { writeFileSync } from 'node:fs';

/** The kernel ends what has most of these points first, and this is as many as there are. */
const MOST_POINTS = '1000';

/** Lets the kernel end this process before any other when the machine or its container is out of memory. */
export function endFirstWithoutMemory(): void {
  try {
    writeFileSync('/proc/self/oom_score_adj', MOST_POINTS);
  } catch {
    // There is no /proc, or it may only be read.
  }
}
