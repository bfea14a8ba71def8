/**
 * How far a recorded time and one from /proc may differ: the original's tolerance, because it compared with the time of
 * day, which may have been set since.
 */
const TOLERANCE_MS = 10_000;

/** Can a process with this start be the recorded one? Both in milliseconds since the epoch; false if one is NaN. */
export function startsAgree(startMs: number, recordedMs: number): boolean {
  return Math.abs(startMs - recordedMs) < TOLERANCE_MS;
}

/** Can the one time be before the other, or equal to it? */
export function mayPrecede(oneMs: number, otherMs: number): boolean {
  return oneMs <= otherMs + TOLERANCE_MS;
}
