import type { RootOptions } from '../discovery/roots.js';
import { Host } from '../host/host.js';

/** What discovery needs to know about this process: the global flags, the environment, the working directory. */
export function rootOptions(flags: { root?: string[]; 'mesos-root'?: string[] }): RootOptions {
  const host = Host.local();
  return {
    flags: { root: flags.root, mesosRoot: flags['mesos-root'] },
    env: process.env,
    cwd: workingDirectory(),
    euid: host.euid,
    home: () => host.userHome(host.euid),
  };
}

/** Undefined if it was removed, or is in a place that we may not read. */
function workingDirectory(): string | undefined {
  try {
    return process.cwd();
  } catch {
    return undefined;
  }
}
