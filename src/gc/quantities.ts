import { UsageError } from '../errors/errors.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** The original's `*d*h*m*s`, in that order, each at most once. */
const SIMPLE =
  /^(?=\d)(?:(\d+(?:\.\d+)?)d)?(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s)?$/i;
/** ISO 8601 without years and months, for these have no certain length. */
const ISO =
  /^P(?=[\dT])(?:(\d+(?:\.\d+)?)W)?(?:(\d+(?:\.\d+)?)D)?(?:T(?=\d)(?:(\d+(?:\.\d+)?)H)?(?:(\d+(?:\.\d+)?)M)?(?:(\d+(?:\.\d+)?)S)?)?$/i;

/**
 * Milliseconds from `2d5h`, `90m`, `P2DT5H`. Throws UsageError `bad-age`, with an example, for anything else;
 * `flag` is named in it. A number alone is none: nobody knows its unit.
 */
export function parseAge(text: string, flag: string): number {
  const simple = SIMPLE.exec(text);
  const iso = simple === null ? ISO.exec(text) : null;
  const parts = simple === null ? iso?.slice(1) : [undefined, ...simple.slice(1)];
  const sum = [7 * DAY, DAY, HOUR, MINUTE, SECOND].reduce(
    (total, unit, i) => total + unit * Number(parts?.[i] ?? 0),
    0,
  );
  if (parts === undefined || !Number.isSafeInteger(Math.round(sum))) {
    throw new UsageError(
      'bad-age',
      `--${flag} ${JSON.stringify(text)} is not a length of time`,
      `give it as --${flag} 2d5h, 90m or P2DT5H`,
    );
  }
  return sum;
}

const SIZE = /^(\d+(?:\.\d+)?)(?:([KMGTP])(?:i?B)?|B)$/i;
const POWER: Record<string, number> = { K: 1, M: 2, G: 3, T: 4, P: 5 };

/**
 * Bytes from `20G`, `1.5GiB`, `500MB`, `1024B`, in powers of 1024 as the original has them. Throws UsageError
 * `bad-size`, with an example, for anything else.
 */
export function parseSize(text: string, flag: string): number {
  const match = SIZE.exec(text);
  const power = POWER[match?.[2]?.toUpperCase() ?? ''] ?? 0;
  const bytes = match === null ? Number.NaN : Math.round(Number(match[1]) * 1024 ** power);
  if (Number.isSafeInteger(bytes)) return bytes;
  throw new UsageError(
    'bad-size',
    `--${flag} ${JSON.stringify(text)} is not a size`,
    `give it as --${flag} 20G, 500MB or 1024B`,
  );
}

/** A whole number from 0 on. Throws UsageError `bad-count`, with an example. */
export function parseCount(text: string, flag: string): number {
  const count = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(count)) return count;
  throw new UsageError(
    'bad-count',
    `--${flag} ${JSON.stringify(text)} is not a number of tasks`,
    `give it as --${flag} 100`,
  );
}
