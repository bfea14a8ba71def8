import { size } from '../../text/size.js';
import type { DiskReading } from '../../top/model.js';
import type { Style } from './style.js';
import type { Cell } from './table.js';

/** The part of what was asked for; undefined if nothing was. */
export function share(used: number | undefined, asked: number | undefined): number | undefined {
  return used === undefined || asked === undefined || !(asked > 0) ? undefined : used / asked;
}

/** With `>` if not all of it could be counted. */
export function diskSize(disk: Pick<DiskReading, 'bytes' | 'atLeast'> | undefined): string | undefined {
  return disk && `${disk.atLeast ? '>' : ''}${size(disk.bytes)}`;
}

/** Two decimals, fewer of large numbers. */
export function cores(cpu: number | undefined): string | undefined {
  if (cpu === undefined) return undefined;
  return cpu < 9.995 ? cpu.toFixed(2) : cpu < 99.95 ? cpu.toFixed(1) : String(Math.round(cpu));
}

/** What is above 100 has a mark, for those who see no colour. */
export function percent(part: number | undefined, { paint }: Style): Cell {
  if (part === undefined) return undefined;
  const rounded = Math.round(part * 100);
  return rounded > 100 ? { text: `!${rounded}%`, paint: paint.red } : `${rounded}%`;
}
