/**
 * A span of time, in milliseconds since the epoch. Lines have no times: what is in it is known of runs, by when they
 * began and ended, and of files, by when they were last written.
 */
export interface TimeWindow {
  since?: number;
  until?: number;
}

/** Whether something that ended then is over before the window. An unknown time may be in it. */
export function isBefore(end: number | undefined, { since }: TimeWindow): boolean {
  return end !== undefined && since !== undefined && end < since;
}

/** Whether something that began then begins after the window. An unknown time may be in it. */
export function isAfter(begin: number | undefined, { until }: TimeWindow): boolean {
  return begin !== undefined && until !== undefined && begin > until;
}

/** `since 2026-11-27T08:00:00.000Z`, `until …`, or both. */
export function windowText({ since, until }: TimeWindow): string {
  const words: string[] = [];
  if (since !== undefined) words.push(`since ${new Date(since).toISOString()}`);
  if (until !== undefined) words.push(`until ${new Date(until).toISOString()}`);
  return words.join(' ');
}

/** What is added about logs that ended before the window; empty if there are none. */
export function lastWritten(time: number | undefined): string {
  return time === undefined ? '' : `: the last line before was written by ${new Date(time).toISOString()}`;
}
