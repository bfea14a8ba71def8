import { parseClusters, type SchedulerPlace } from '../agent/aurora-clusters.js';
import { jobIn } from '../agent/job-word.js';
import { describeErrno } from '../errors/errors.js';
import { accountGroups } from '../host/groups.js';
import { presenceOf } from '../store/look.js';
import { readTrusted } from '../store/trusted-file.js';
import type { AgentFlags, AskedMasters } from './agent-flags.js';
import type { Terminal } from './terminal.js';

const MOST_BYTES = 1024 * 1024;

/** The files of Aurora's client that tell which clusters there are; later ones win. Pure. */
export function clusterFiles({
  AURORA_CONFIG_ROOT,
  HOME,
}: Readonly<Record<string, string | undefined>>): string[] {
  const own = HOME?.startsWith('/') ? [`${HOME}/.aurora/clusters.json`] : [];
  return [`${AURORA_CONFIG_ROOT || '/etc/aurora'}/clusters.json`, ...own];
}

/**
 * The schedulers of the known clusters. Only root and this user may have written a file: another one, and one that is
 * not such a file, is not used, and `warn` is told why.
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

/** What is asked for TASK words that name jobs of known clusters; undefined if none does, or if one is a path here. */
export function clustersOf(words: readonly string[], flags: AgentFlags): AskedMasters | undefined {
  // A job's key has no colon: after one there is a path in the sandbox.
  const tasks = words.map((word) => word.split(':')[0] ?? '');
  const jobs = tasks.map(jobIn).filter((job) => job !== undefined);
  if (jobs.length === 0 || tasks.some((task) => task !== '' && presenceOf(task) !== 'absent'))
    return undefined;
  const masters = flags.defaultAgents?.masters ?? {};
  const schedulers = knownSchedulers(process.env, () => {});
  const names = [...new Set(jobs.map(({ cluster }) => cluster))];
  if (!names.every((name) => Object.hasOwn(masters, name) || schedulers.has(name))) return undefined;
  return { masters: names.filter((name) => Object.hasOwn(masters, name)), source: 'word' };
}

/** Finds the place of a scheduler by the name of its cluster; the files are read when one is sought. */
export function schedulerFinder(terminal: Terminal): (cluster: string) => SchedulerPlace | undefined {
  let known: ReadonlyMap<string, SchedulerPlace | undefined> | undefined;
  return (cluster) => {
    known ??= knownSchedulers(process.env, (text) => terminal.writeError(`warning: ${text}\n`));
    return known.get(cluster);
  };
}
