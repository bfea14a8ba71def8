/**
 * How far a recorded moment and one that /proc tells may be apart: the original's tolerance, for it compared with the
 * time of day, which may have been set since.
 */
const TOLERANCE_MS = 10_000;

/** Can the process that started then be the recorded one? In milliseconds since the epoch; not if one is no number. */
export function startsAgree(startMs: number, recordedMs: number): boolean {
  return Math.abs(startMs - recordedMs) < TOLERANCE_MS;
}

/** Can the one moment have come before the other, or with it? */
export function mayPrecede(oneMs: number, otherMs: number): boolean {
  return oneMs <= otherMs + TOLERANCE_MS;
}
