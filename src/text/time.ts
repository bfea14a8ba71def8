import { badValue } from '../errors/errors.js';
import { durationOf, SECOND } from './duration.js';

const UNIX = /^\d+(?:\.\d+)?$/;
const OF_DAY = /^([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?$/;
const RFC_3339 = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/i;

/** For the help of commands with such a flag. */
export const TIME_HELP =
  'TIME is a duration before now (2h, 1d12h), HH:MM as a clock here showed it last, an RFC 3339 time, or seconds since 1970.';

/**
 * The time that a flag's value names, in milliseconds since the epoch: a duration with units before `now` (`2h`,
 * `1d12h`), the last time that a local clock showed `HH:MM` or `HH:MM:SS`, an RFC 3339 time, or seconds since the
 * epoch. Throws UsageError for anything else.
 */
export function parseTime(text: string, flag: string, now: number): number {
  const time = UNIX.test(text)
    ? Number(text) * SECOND
    : (rfc3339(text) ?? ofDay(now, text) ?? before(now, text));
  if (time !== undefined && Number.isFinite(time)) return time;
  throw badValue(`--${flag}`, 'a time such as 2h, 14:30, 2014-05-13T16:53:20Z or 1400000000', text);
}

function before(now: number, text: string): number | undefined {
  const milliseconds = durationOf(text);
  return milliseconds === undefined ? undefined : now - milliseconds;
}

function ofDay(now: number, text: string): number | undefined {
  const [, hours, minutes, seconds = '0'] = OF_DAY.exec(text) ?? [];
  if (hours === undefined) return undefined;
  const time = new Date(now);
  time.setHours(Number(hours), Number(minutes), Number(seconds), 0);
  if (time.getTime() > now) time.setDate(time.getDate() - 1);
  return time.getTime();
}

function rfc3339(text: string): number | undefined {
  const [, date, time] = RFC_3339.exec(text) ?? [];
  if (date === undefined) return undefined;
  // JavaScript takes the 31st of any month.
  const day = new Date(`${date}T${time}Z`);
  if (Number.isNaN(day.getTime()) || !day.toISOString().startsWith(`${date}T${time}`)) return undefined;
  return Date.parse(text.toUpperCase().replace(' ', 'T'));
}
