import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { errnoOf } from '../errors/errors.js';
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

/** All processes that /proc shows us now, threads and zombies not among them. */
export function processTable(): ProcessRow[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => processRow(Number(name)))
    .filter((row) => row !== undefined)
    .filter(({ state }) => state !== 'Z' && state !== 'X');
}

/** One process; undefined if it is gone. */
export function processRow(pid: number): ProcessRow | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const stat = parseProcessStat(text);
    if (stat === undefined) return undefined;
    const { uid } = statSync(`/proc/${pid}`);
    const { parent, state, startTimeTicks } = stat;
    // Field 6 of proc(5); the command before it may hold anything but ends with the last parenthesis.
    const session = Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[3]);
    return { pid, parent, session, state, startTimeTicks, uid };
  } catch {
    return undefined;
  }
}

/** It has given up its memory, and what it was can't be seen any more: in a moment it is a zombie. */
export function isExiting(pid: number): boolean {
  try {
    readlinkSync(`/proc/${pid}/exe`);
    return false;
  } catch (error) {
    return errnoOf(error) === 'ENOENT';
  }
}

/** HOME in the environment that a process was started with; undefined if it has none or we may not look. */
export function homeOf(pid: number): string | undefined {
  try {
    const environment = readFileSync(`/proc/${pid}/environ`, 'utf8');
    return environment
      .split('\0')
      .find((entry) => entry.startsWith('HOME='))
      ?.slice('HOME='.length);
  } catch {
    return undefined;
  }
}

/** What a process has as `/`; undefined if we may not look. */
export function rootOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/root`);
  } catch {
    return undefined;
  }
}

/** The files that its descriptors 1 and 2 are. */
export function outputsOf(pid: number): string[] {
  const found: string[] = [];
  for (const fd of [1, 2]) {
    try {
      found.push(readlinkSync(`/proc/${pid}/fd/${fd}`));
    } catch {
      // Closed, or not for us to see.
    }
  }
  return found;
}
