import { readFileSync } from 'node:fs';

/** What a program takes from a process to be like it, as far as the user of the process can read and do that. */
export interface ProcessSettings {
  readonly environment: Record<string, string>;
  /** A path that leads to its working directory as long as it is alive. */
  readonly cwd: string;
  /** Undefined if the kernel does not say it. */
  readonly umask: number | undefined;
}

/** Throws system errors. */
export function settingsOf(pid: number): ProcessSettings {
  const environment: Record<string, string> = {};
  for (const entry of readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0')) {
    const at = entry.indexOf('=');
    if (at > 0) environment[entry.slice(0, at)] ??= entry.slice(at + 1);
  }
  const umask = /^Umask:\t([0-7]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return {
    environment,
    cwd: `/proc/${pid}/cwd`,
    umask: umask === undefined ? undefined : Number.parseInt(umask, 8),
  };
}
