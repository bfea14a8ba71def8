import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { errnoOf } from '../errors/errors.js';
import { isShortage } from '../errors/shortage.js';
import { parseProcessStat } from './process-stat.js';

/** A process in the table; ids in our pid namespace. */
export interface ProcessRow {
  readonly pid: number;
  readonly parent: number;
  readonly session: number;
  /** The letter of proc(5). */
  readonly state: string;
  readonly startTimeTicks: number;
  /** The effective uid. */
  readonly uid: number;
}

/** All processes that /proc shows us now, without threads and zombies. */
export function processTable(): ProcessRow[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => processRow(Number(name)))
    .filter((row) => row !== undefined)
    .filter(({ state }) => state !== 'Z' && state !== 'X');
}

/** One process; undefined if it is gone. Throws the system error if the machine is too short of something to know. */
export function processRow(pid: number): ProcessRow | undefined {
  try {
    const stat = parseProcessStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
    if (stat === undefined) return undefined;
    const { uid } = statSync(`/proc/${pid}`);
    const { parent, session, state, startTimeTicks } = stat;
    return { pid, parent, session, state, startTimeTicks, uid };
  } catch (error) {
    return unlessShort(error);
  }
}

/** Has the process released its memory? Its program cannot be seen any more; it will be a zombie in a moment. */
export function isExiting(pid: number): boolean {
  try {
    readlinkSync(`/proc/${pid}/exe`);
    return false;
  } catch (error) {
    return errnoOf(error) === 'ENOENT';
  }
}

/** HOME in the environment that a process was started with; undefined if it has none or we may not know. */
export function homeOf(pid: number): string | undefined {
  try {
    const environment = readFileSync(`/proc/${pid}/environ`, 'utf8');
    return environment
      .split('\0')
      .find((entry) => entry.startsWith('HOME='))
      ?.slice('HOME='.length);
  } catch (error) {
    return unlessShort(error);
  }
}

/** The root directory of a process; undefined if we may not know. */
export function rootOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/root`);
  } catch (error) {
    return unlessShort(error);
  }
}

/** What is not known for lack of descriptors or memory must not be taken for absent. */
function unlessShort(error: unknown): undefined {
  if (isShortage(error)) throw error;
  return undefined;
}

/** The files of its descriptors 1 and 2. */
export function outputsOf(pid: number): string[] {
  const found: string[] = [];
  for (const fd of [1, 2]) {
    try {
      found.push(readlinkSync(`/proc/${pid}/fd/${fd}`));
    } catch {
      // It is closed, or hidden from us.
    }
  }
  return found;
}
