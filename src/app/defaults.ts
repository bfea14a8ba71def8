import type { DefaultRoots } from '../discovery/roots.js';
import { describeErrno, UsageError } from '../errors/errors.js';
import type { Problem } from '../errors/problem.js';
import { accountGroups } from '../host/groups.js';
import { readTrusted } from '../store/trusted-file.js';
import type { DefaultsFile } from './defaults-file.js';

/** What files of defaults say; a flag and a variable of the environment win. */
export interface Defaults {
  readonly roots?: DefaultRoots;
  /** As the flags of `gc`. */
  readonly gc: Readonly<Partial<Record<'max-age' | 'max-tasks' | 'max-space', string>>>;
  readonly colour?: 'auto' | 'never';
  readonly pager?: string;
  /** Masters, by names for them. */
  readonly masters?: Readonly<Record<string, string>>;
  readonly credentialsFile?: string;
  /** Warnings about files that are not used. */
  readonly problems: readonly Problem[];
}

export const HOST_DEFAULTS = '/etc/thermos/config.json';

const MOST_BYTES = 64 * 1024;

export interface DefaultsPlace {
  env: Readonly<Record<string, string | undefined>>;
  euid: number;
}

/**
 * The files of defaults, later ones win: that of the host and that of the user; or that of THERMOS_CONFIG alone, none if
 * it is empty. A path that is not absolute does not count, as in the XDG specification. Pure.
 */
export function defaultsPaths({ THERMOS_CONFIG, XDG_CONFIG_HOME, HOME }: DefaultsPlace['env']): string[] {
  if (THERMOS_CONFIG !== undefined) return THERMOS_CONFIG === '' ? [] : [THERMOS_CONFIG];
  const own = XDG_CONFIG_HOME?.startsWith('/') ? XDG_CONFIG_HOME : HOME?.startsWith('/') && `${HOME}/.config`;
  return own ? [HOST_DEFAULTS, `${own}/thermos/config.json`] : [HOST_DEFAULTS];
}

/**
 * Reads the files of defaults. Only root and this user may have written one: another one is not used, and that is a
 * problem. `parse` is loaded if there is one. Rejects with UsageError `defaults-invalid`, with file, line and key.
 */
export async function readDefaults(
  { env, euid }: DefaultsPlace,
  paths: readonly string[] = defaultsPaths(env),
): Promise<Defaults> {
  let defaults: Defaults = { gc: {}, problems: [] };
  for (const path of paths) {
    const found = textOf(path, euid);
    if (found === undefined) {
      if (env.THERMOS_CONFIG) throw missing(path);
      continue;
    }
    if (typeof found !== 'string') {
      defaults = { ...defaults, problems: [...defaults.problems, found] };
      continue;
    }
    const { parseDefaults } = await import('./defaults-file.js');
    defaults = merged(defaults, parseDefaults(found, path), path);
  }
  return defaults;
}

function merged(before: Defaults, file: DefaultsFile, path: string): Defaults {
  const { roots, mesos_roots, gc = {}, color, pager, masters, credentials_file } = file;
  const isNamed = roots !== undefined || mesos_roots !== undefined;
  const limits = {
    ...(gc.max_age !== undefined && { 'max-age': gc.max_age }),
    ...(gc.max_tasks !== undefined && { 'max-tasks': String(gc.max_tasks) }),
    ...(gc.max_space !== undefined && { 'max-space': gc.max_space }),
  };
  return {
    roots: isNamed ? { root: roots ?? [], mesosRoot: mesos_roots ?? [], source: path } : before.roots,
    gc: { ...before.gc, ...limits },
    colour: color ?? before.colour,
    pager: pager ?? before.pager,
    masters: masters === undefined ? before.masters : { ...before.masters, ...masters },
    credentialsFile: credentials_file ?? before.credentialsFile,
    problems: before.problems,
  };
}

/** Undefined if there is no file. */
function textOf(path: string, euid: number): string | Problem | undefined {
  try {
    const options = { trusted: new Set([0, euid]), groups: accountGroups, max: MOST_BYTES };
    const found = readTrusted(path, options);
    if (found === undefined || 'text' in found) return found?.text;
    const { untrusted } = found;
    return ignored(path, `${untrusted.path} ${untrusted.what}`, untrusted.remedy);
  } catch (error) {
    return ignored(path, describeErrno(error));
  }
}

function ignored(path: string, why: string, hint?: string): Problem {
  const message = `the defaults in ${path} are not used: ${why}`;
  return { code: 'defaults-ignored', severity: 'warning', message, path, hint };
}

function missing(path: string): UsageError {
  return new UsageError('defaults-invalid', `THERMOS_CONFIG ${path} does not exist`);
}
