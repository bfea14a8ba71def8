import { parseClusters, type SchedulerPlace } from '../agent/aurora-clusters.js';
import { jobIn } from '../agent/job-word.js';
import { describeErrno, NotFoundError, UsageError } from '../errors/errors.js';
import { accountGroups } from '../host/groups.js';
import { presenceOf } from '../store/look.js';
import { readTrusted } from '../store/trusted-file.js';
import { visible } from '../text/escape.js';
import type { AgentFlags, AskedMasters } from './agent-flags.js';
import { say } from './failure.js';
import type { Terminal } from './terminal.js';

const MOST_BYTES = 1024 * 1024;

/** The files of Aurora's client that list the clusters; later ones win. Pure. */
export function clusterFiles({
  AURORA_CONFIG_ROOT,
  HOME,
}: Readonly<Record<string, string | undefined>>): string[] {
  const own = HOME?.startsWith('/') ? [`${HOME}/.aurora/clusters.json`] : [];
  return [`${AURORA_CONFIG_ROOT || '/etc/aurora'}/clusters.json`, ...own];
}

/**
 * The schedulers of the known clusters. A file is used only if nobody but root and this user can have written it, and
 * if it is such a file; otherwise `warn` gets the reason.
 */
export function knownSchedulers(
  env: Readonly<Record<string, string | undefined>>,
  warn: (text: string) => void,
): ReadonlyMap<string, SchedulerPlace | undefined> {
  const all = new Map<string, SchedulerPlace | undefined>();
  for (const path of clusterFiles(env)) {
    const found = clustersIn(path);
    if (typeof found === 'string') warn(`the clusters in ${path} are not used: ${found}`);
    else for (const [name, place] of found ?? []) all.set(name, place);
  }
  return all;
}

function clustersIn(path: string): ReturnType<typeof parseClusters> | string {
  try {
    const trusted = new Set([0, process.geteuid?.() ?? 0]);
    const found = readTrusted(path, { trusted, groups: accountGroups, max: MOST_BYTES });
    if (found === undefined) return undefined;
    if (!('text' in found)) return `${found.untrusted.path} ${found.untrusted.what}`;
    return parseClusters(found.text) ?? 'this is not a list of clusters as JSON';
  } catch (error) {
    return describeErrno(error);
  }
}

/**
 * What is asked for TASK words that name jobs of clusters; undefined if none does, if one is a path here, or if no cluster
 * is known. Throws NotFoundError if some are, but not this one.
 */
export function clustersOf(words: readonly string[], flags: AgentFlags): AskedMasters | undefined {
  // A job's key has no colon: after one there is a path in the sandbox.
  const tasks = words.map((word) => word.split(':')[0] ?? '');
  const jobs = tasks.map(jobIn).filter((job) => job !== undefined);
  if (jobs.length === 0 || tasks.some((task) => task !== '' && presenceOf(task) !== 'absent'))
    return undefined;
  const masters = flags.defaultAgents?.masters ?? {};
  const schedulers = knownSchedulers(process.env, () => {});
  const names = [...new Set(jobs.map(({ cluster }) => cluster))];
  const known = [...new Set([...schedulers.keys(), ...Object.keys(masters)])];
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    if (known.length === 0) return undefined;
    throw new NotFoundError('cluster-unknown', `there is no cluster '${unknown}'`, knownClusters(known));
  }
  return { masters: names.filter((name) => Object.hasOwn(masters, name)), source: 'word' };
}

/** Throws UsageError if the files name no such cluster, or not its scheduler. */
export function requireScheduler(cluster: string, terminal: Terminal): void {
  const schedulers = knownSchedulers(process.env, warnOn(terminal));
  if (schedulers.get(cluster) !== undefined) return;
  const files = clusterFiles(process.env).join(' or ');
  const why = schedulers.has(cluster) ? `${files} does not say where its scheduler is` : 'there is none';
  throw new UsageError(
    'cluster-unknown',
    `--cluster ${cluster}: ${why}`,
    knownClusters([...schedulers.keys()]),
  );
}

function knownClusters(names: readonly string[]): string {
  const files = clusterFiles(process.env).join(' and ');
  if (names.length === 0) return `clusters are those of ${files}`;
  const first = names.slice(0, MOST_NAMED).map(visible).join(', ');
  return `known are ${first}${names.length > MOST_NAMED ? ', …' : ''}; clusters are those of ${files}, and of masters in a file of defaults`;
}

const MOST_NAMED = 10;

function warnOn(terminal: Terminal): (text: string) => void {
  return (text) => say(terminal, `warning: ${text}`);
}

/** Finds the place of a scheduler by the name of its cluster; the files are read when one is sought. */
export function schedulerFinder(terminal: Terminal): (cluster: string) => SchedulerPlace | undefined {
  let known: ReadonlyMap<string, SchedulerPlace | undefined> | undefined;
  return (cluster) => {
    known ??= knownSchedulers(process.env, warnOn(terminal));
    return known.get(cluster);
  };
}
