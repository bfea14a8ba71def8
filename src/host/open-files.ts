import { readFileSync } from 'node:fs';

/** Limits of a number: soft, hard. */
type OpenFileLimits = readonly [soft: number, hard: number];

/** The limits of open files in `/proc/PID/limits`; undefined if one of them is not a number. Pure. */
export function openFilesIn(limits: string): OpenFileLimits | undefined {
  const [, soft, hard] = /^Max open files +(\d+) +(\d+) /m.exec(limits) ?? [];
  return soft === undefined || hard === undefined ? undefined : [Number(soft), Number(hard)];
}

/**
 * The soft limit of open files that we were most likely started with: Node raises ours to the hard one before any code of
 * ours runs, and nothing keeps the one before. It is that of our parent, if its hard limit is the same as ours; if the
 * hard limit differs, somebody has set our limits (systemd, prlimit), and undefined is returned.
 */
export function callersOpenFiles(): number | undefined {
  const own = openFilesOf('self');
  const parents = openFilesOf(String(process.ppid));
  if (own === undefined || parents === undefined || own[1] !== parents[1]) return undefined;
  return parents[0] < own[0] ? parents[0] : undefined;
}

function openFilesOf(pid: string): OpenFileLimits | undefined {
  try {
    return openFilesIn(readFileSync(`/proc/${pid}/limits`, 'utf8'));
  } catch {
    return undefined;
  }
}
