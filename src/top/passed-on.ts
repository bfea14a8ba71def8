/**
 * A counter that a parent takes over from a child that has ended: processor time, and bytes read and written.
 *
 * What a tree of processes used in an interval is what its processes used themselves, and what they took over, less what
 * the children that are gone had used before the interval. A parent may wait for a child later than the next reading, or
 * never: what is then still owed counts in one more interval, so that nothing is counted twice.
 */
export interface PassedOn {
  /** What parents took over in the interval. */
  readonly taken: number;
  /** What those that are gone had used before it. */
  readonly gone: number;
  /** Of the interval before. */
  readonly owed: number;
}

/** How much of it was used in the interval, never negative, and what is owed after it. Pure. */
export function usedBy({ taken, gone, owed }: PassedOn): { used: number; owed: number } {
  const due = gone + owed;
  return { used: Math.max(0, taken - due), owed: Math.min(gone, Math.max(0, due - taken)) };
}
