const UNITS = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'] as const;

/**
 * Bytes as text, without a space inside: `0B`, `1023B`, `1.5KiB`, `20MiB`. One decimal below ten, rounded.
 * `-` if absent, `<unknown>` for what is no size.
 */
export function size(bytes: number | bigint | undefined): string {
  if (bytes === undefined) return '-';
  let value = Number(bytes);
  if (!Number.isFinite(value) || value < 0) return '<unknown>';
  if (value < 1024) return `${Math.round(value)}B`;
  let unit = -1;
  // 1023.95 would be written as 1024: it belongs to the next unit.
  while (unit < UNITS.length - 1 && (unit === -1 || value >= 1023.5)) {
    value /= 1024;
    unit++;
  }
  const text = value < 9.95 ? value.toFixed(1).replace('.0', '') : String(Math.round(value));
  return `${text}${UNITS[unit]}`;
}
