import { badValue } from '../errors/errors.js';

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
/** Of 365 days. */
export const YEAR = 365 * DAY;

/** In milliseconds. The units of systemd.time(7) and of Mesos (`1weeks`, `1.5hrs`), and `y`, which ages are shown in. */
const UNITS: ReadonlyMap<string, number> = new Map([
  ['ns', 1e-6],
  ['us', 1e-3],
  ['ms', 1],
  ...['s', 'sec', 'secs'].map((unit) => [unit, SECOND] as const),
  ...['m', 'min', 'mins'].map((unit) => [unit, MINUTE] as const),
  ...['h', 'hr', 'hrs'].map((unit) => [unit, HOUR] as const),
  ...['d', 'day', 'days'].map((unit) => [unit, DAY] as const),
  ...['w', 'week', 'weeks'].map((unit) => [unit, 7 * DAY] as const),
  ['y', YEAR],
]);

const N = String.raw`\d+(?:\.\d+)?`;
const PLAIN = new RegExp(`^${N}$`);
const UNITED = new RegExp(`^(?:${N}[a-z]+)+$`, 'i');
const PART = new RegExp(`(${N})([a-z]+)`, 'gi');
/** ISO 8601 without years and months, because their lengths vary. */
const ISO = new RegExp(`^P(?!$)(?:${N}W)?(?:${N}D)?(?:T(?=\\d)(?:${N}H)?(?:${N}M)?(?:${N}S)?)?$`, 'i');

/** For the help of commands with such a flag. */
export const DURATION_HELP =
  'DURATION is a number of seconds, or with units: 500ms, 90s, 1.5h, 1h30m, 2d, 1w; or as in ISO 8601: P1D, PT1H30M.';

/**
 * Whole milliseconds of a duration, from 0 to the largest exact number. The whole program parses durations with this,
 * including those of Mesos's flags: a number of seconds (`90`, `0.5`), numbers with units (`500ms`, `90s`, `1h30m`,
 * `2d5h`), or ISO 8601 (`P2DT5H`). Undefined for anything else.
 */
export function durationOf(text: string): number | undefined {
  if (PLAIN.test(text)) return exact(Number(text) * SECOND);
  // Without its P and T, ISO 8601 has the same units.
  const united = ISO.test(text) ? text.replaceAll(/[PT]/gi, '') : text;
  if (!UNITED.test(united)) return undefined;
  let sum = 0;
  for (const [, number, unit = ''] of united.matchAll(PART)) {
    sum += Number(number) * (UNITS.get(unit.toLowerCase()) ?? Number.NaN);
  }
  return exact(sum);
}

function exact(milliseconds: number): number | undefined {
  const whole = Math.round(milliseconds);
  return Number.isSafeInteger(whole) ? whole : undefined;
}

export interface DurationBounds {
  /** As a person writes them, for the message. */
  least?: string;
  most?: string;
  /** The code of the error: scripts expect `bad-age` from `gc`. */
  code?: 'usage' | 'bad-age';
}

/** Milliseconds of a flag's value (see `durationOf`). Throws UsageError if it is invalid or out of bounds. */
export function parseDuration(text: string, flag: string, bounds: DurationBounds = {}): number {
  const { least = '0', most, code = 'usage' } = bounds;
  const value = durationOf(text);
  if (value === undefined) {
    throw badValue(`--${flag}`, 'a duration such as 90s, 1h30m, 2d or P1D', text, code);
  }
  if (value < (durationOf(least) ?? 0) || value > (durationOf(most ?? '') ?? Number.POSITIVE_INFINITY)) {
    throw badValue(`--${flag}`, `a duration from ${least} to ${most}`, text, code);
  }
  return value;
}
