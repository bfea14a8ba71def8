import type { RootFlagValues } from '../discovery/advised-command.js';
import { PLACES, type RootOptions, userRoot } from '../discovery/roots.js';
import { Host } from '../host/host.js';
import type { RootFlags } from './search.js';

/** Said where roots are looked for and there is none. */
export const NO_ROOT = "No task root was found; see 'thermos roots' and --root.";

/** What discovery needs to know about this process: the global flags, the environment, the working directory. */
export function rootOptions(flags: RootFlags): RootOptions {
  const host = Host.local();
  return {
    flags: { root: flags.root, mesosRoot: flags['mesos-root'] },
    env: process.env,
    cwd: workingDirectory(),
    euid: host.euid,
    home: () => host.userHome(host.euid),
    defaultRoots: flags.defaultRoots,
  };
}

/** Undefined if it was removed, or is in a place that we may not read. */
export function workingDirectory(): string | undefined {
  try {
    return process.cwd();
  } catch {
    return undefined;
  }
}

/** The flags with which a command that is pasted into the same shell finds this root; none if it does without. */
export function flagsFor(
  root: string,
  options: Pick<RootOptions, 'env' | 'home' | 'defaultRoots'>,
): RootFlagValues {
  const { THERMOS_ROOT, THERMOS_MESOS_ROOT } = options.env;
  const usual = options.defaultRoots?.root ?? [PLACES.hostRoot, userRoot(options)];
  const defaults = THERMOS_ROOT || THERMOS_MESOS_ROOT ? [THERMOS_ROOT] : usual;
  return defaults.includes(root) ? {} : { root: [root] };
}
