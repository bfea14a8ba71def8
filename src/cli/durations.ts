import { UsageError } from '../errors/errors.js';

const UNIT_MS: Record<string, number> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** Milliseconds of `90s`, `1h30m`, `0.5s`, `500ms`; a number alone is seconds. Throws UsageError. */
export function parseDuration(text: string, flag: string): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  if (!/^(\d+(\.\d+)?(ms|[smhd]))+$/.test(text)) {
    throw new UsageError('usage', `--${flag} ${text} is not a duration such as 90s, 5m or 1h30m`);
  }
  let sum = 0;
  for (const [, number, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|[smhd])/g)) {
    sum += Number(number) * (UNIT_MS[unit as string] as number);
  }
  return sum;
}
