import { readdirSync, readFileSync, statSync } from 'node:fs';
import { errnoOf } from '../errors/errors.js';
import { isShortage } from '../errors/shortage.js';
import { processFile } from './process-file.js';
import type { ProcessPlace } from './process-readings.js';

/** What costs a file for each process. What may not be read is undefined. */
export interface ProcessDetails {
  readonly rssBytes?: number;
  readonly pssBytes?: number;
  readonly fds?: number;
  /** From and to storage, with those of its children that have ended and been waited for. */
  readonly readBytes?: number;
  readonly writtenBytes?: number;
}

/**
 * Reads the details of a process; undefined if it is gone. `pss`: also its proportional set size, for which the kernel
 * visits all of its memory. Throws the system error if the machine is too short of something to know.
 */
export function readDetails(
  pid: number,
  pss: boolean,
  { proc = '/proc', read = processFile }: ProcessPlace = {},
): ProcessDetails | undefined {
  const directory = `${proc}/${pid}`;
  const statm = read(`${directory}/statm`);
  if (statm === undefined) return undefined;
  const io = read(`${directory}/io`);
  return {
    rssBytes: pageBytes() === undefined ? undefined : countIn(statm, /^\d+ (\d+)/, pageBytes()),
    // That file is of the memory which the process had when it was opened, and not of what it executes later.
    pssBytes: pss ? countIn(processFile(`${directory}/smaps_rollup`), /^Pss:\s+(\d+) kB$/m, 1024) : undefined,
    fds: descriptors(`${directory}/fd`),
    readBytes: countIn(io, /^read_bytes: (\d+)$/m),
    writtenBytes: countIn(io, /^write_bytes: (\d+)$/m),
  };
}

function countIn(found: string | undefined, pattern: RegExp, unit = 1): number | undefined {
  const digits = found === undefined ? undefined : pattern.exec(found)?.[1];
  return digits === undefined ? undefined : Number(digits) * unit;
}

/** Since Linux 6.2 the size of the directory is how many there are, and anybody may know it. */
function descriptors(path: string): number | undefined {
  try {
    return statSync(path).size || readdirSync(path).length;
  } catch (error) {
    if (isShortage(error) || errnoOf(error) === undefined) throw error;
    return undefined;
  }
}

/** AT_PAGESZ of getauxval(3). */
const AT_PAGESZ = 6;

let page: { bytes: number | undefined } | undefined;

/** The size of a page of memory, in which `statm` counts; undefined if the kernel does not say it. */
function pageBytes(): number | undefined {
  page ??= { bytes: pageSizeIn(auxiliaryVector()) };
  return page.bytes;
}

function auxiliaryVector(): Uint8Array {
  try {
    return Uint8Array.from(readFileSync('/proc/self/auxv'));
  } catch {
    return new Uint8Array();
  }
}

/** The size of a page by the auxiliary vector of a process of this architecture. Pure. */
export function pageSizeIn(vector: Uint8Array): number | undefined {
  const words = process.arch === 'arm' ? Uint32Array : BigUint64Array;
  const whole = vector.slice(0, vector.length - (vector.length % words.BYTES_PER_ELEMENT));
  const entries = [...new words(whole.buffer)].map(Number);
  for (let at = 0; at + 1 < entries.length; at += 2) if (entries[at] === AT_PAGESZ) return entries[at + 1];
  return undefined;
}
