import { badValue } from '../errors/errors.js';

const UNITS = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'] as const;

/**
 * Bytes as text, without a space inside: `0B`, `1023B`, `1.5KiB`, `20MiB`. One decimal below ten, rounded.
 * `-` if absent, `<unknown>` for an invalid size.
 */
export function size(bytes: number | bigint | undefined): string {
  if (bytes === undefined) return '-';
  let value = Number(bytes);
  if (!Number.isFinite(value) || value < 0) return '<unknown>';
  if (value < 1024) return `${Math.round(value)}B`;
  let unit = -1;
  // 1023.5 and more would be written as 1024, so they belong to the next unit.
  while (unit < UNITS.length - 1 && (unit === -1 || value >= 1023.5)) {
    value /= 1024;
    unit++;
  }
  const text = value < 9.95 ? value.toFixed(1).replace('.0', '') : String(Math.round(value));
  return `${text}${UNITS[unit]}`;
}

const SIZE = /^(\d+(?:\.\d+)?)(?:([KMGTP])(?:i?B)?|B)$/i;

/**
 * Bytes of a flag's value: `20G`, `1.5GiB`, `500MB`, `1024B`, in powers of 1024 as in the original and in the text of
 * `size`. Throws UsageError `bad-size` for anything else, also for a number alone, because its unit is not known.
 */
export function parseSize(text: string, flag: string): number {
  const match = SIZE.exec(text);
  const power = 'KMGTP'.indexOf(match?.[2]?.toUpperCase() ?? ' ') + 1;
  const bytes = match === null ? Number.NaN : Math.round(Number(match[1]) * 1024 ** power);
  if (Number.isSafeInteger(bytes)) return bytes;
  throw badValue(`--${flag}`, 'a size such as 20G, 500MB or 1024B', text, 'bad-size');
}
