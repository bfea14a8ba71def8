/**
 * Times and durations as text. The times of a checkpoint are not trusted: they may be NaN, infinite, before the epoch or
 * beyond the calendar. Nothing here throws.
 */

import { DAY, HOUR, MINUTE, SECOND, YEAR } from './duration.js';

/** The last millisecond that RFC 3339 can represent: its years have four digits. */
const LAST = Date.UTC(9999, 11, 31, 23, 59, 59, 999);
const FIRST = -62_167_219_200_000;

/** The text for an invalid time. */
export const UNKNOWN = '<unknown>';
/** The text for a time that is not recorded. */
export const ABSENT = '-';

/**
 * RFC 3339 in UTC from milliseconds since the epoch: `2014-05-13T16:53:20Z`, with `.123` if there are
 * milliseconds. A number outside the years 0 to 9999 is shown as it is, `<unknown>` if it is not finite,
 * `-` if absent.
 */
export function timestamp(milliseconds: number | bigint | undefined): string {
  if (milliseconds === undefined) return ABSENT;
  const value = Number(milliseconds);
  if (!Number.isFinite(value)) return UNKNOWN;
  // Fractional seconds times 1000 differ slightly from the whole millisecond.
  const rounded = Math.round(value);
  if (rounded < FIRST || rounded > LAST) return String(milliseconds);
  return new Date(rounded).toISOString().replace('.000Z', 'Z');
}

/**
 * A duration in its two largest relevant units: `0s`, `59s`, `12m30s`, `2h13m`, `3d4h`, `45d`,
 * `2y20d`. Below zero with a minus; `<unknown>` if it is not finite; `-` if absent. Seconds are left out from
 * ten minutes on, hours from ten days on.
 */
export function duration(milliseconds: number | bigint | undefined): string {
  if (milliseconds === undefined) return ABSENT;
  const value = Number(milliseconds);
  if (!Number.isFinite(value)) return UNKNOWN;
  if (value <= -SECOND) return `-${duration(-value)}`;
  const whole = Math.max(0, value);
  if (whole < MINUTE) return `${Math.floor(whole / SECOND)}s`;
  if (whole < 10 * MINUTE) return two(whole, MINUTE, 'm', SECOND, 's');
  if (whole < HOUR) return `${Math.floor(whole / MINUTE)}m`;
  if (whole < DAY) return two(whole, HOUR, 'h', MINUTE, 'm');
  if (whole < 10 * DAY) return two(whole, DAY, 'd', HOUR, 'h');
  if (whole < YEAR) return `${Math.floor(whole / DAY)}d`;
  return whole < 10 * YEAR ? two(whole, YEAR, 'y', DAY, 'd') : `${Math.floor(whole / YEAR)}y`;
}

/** How long something took: as `duration`, but with hundredths below ten seconds, `0.26s`. */
export function elapsed(milliseconds: number | undefined): string {
  if (milliseconds === undefined || !(Math.abs(milliseconds) < 10 * SECOND)) return duration(milliseconds);
  return `${(milliseconds / SECOND).toFixed(2)}s`;
}

/**
 * How long ago a time was, as `duration` writes it; a time in the future has a minus. Both in milliseconds since the
 * epoch.
 */
export function age(milliseconds: number | bigint | undefined, now: number): string {
  return milliseconds === undefined ? ABSENT : duration(now - Number(milliseconds));
}

/** A time for an output stream: relative on a terminal (`2h13m`), RFC 3339 on a pipe. */
export function moment(
  milliseconds: number | bigint | undefined,
  style: { tty: boolean; now: number },
): string {
  return style.tty ? age(milliseconds, style.now) : timestamp(milliseconds);
}

/** Milliseconds from the seconds that `fork_time`, `start_time` and `stop_time` are in. */
export function fromSeconds(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : seconds * SECOND;
}

function two(value: number, large: number, largeName: string, small: number, smallName: string): string {
  const rest = Math.floor((value % large) / small);
  return `${Math.floor(value / large)}${largeName}${rest === 0 ? '' : `${rest}${smallName}`}`;
}
