import { isName } from './names.js';

/** The streams of a process that are logged, and the names of their files. */
export const STREAMS = ['stdout', 'stderr'] as const;
export type Stream = (typeof STREAMS)[number];

/** The log directory in a sandbox, if the header names none. */
export const LOGS = '.logs';

/** The path of the log directory in a sandbox, if the header names none. Pure. */
export function defaultLogDir(sandbox: string): string {
  return `${sandbox}/${LOGS}`;
}

/** LOG_DIR/PROCESS/RUN, or undefined if the name of the process cannot be part of a path. Pure. */
export function runDirectory(logDir: string, process: string, run: number): string | undefined {
  if (!isName(process) || !Number.isSafeInteger(run) || run < 0) return undefined;
  return `${logDir}/${process}/${run}`;
}

/** The number of the run whose directory has this name; undefined for other names. Pure. */
export function runOfName(name: string): number | undefined {
  return /^(0|[1-9]\d{0,8})$/.test(name) ? Number(name) : undefined;
}
