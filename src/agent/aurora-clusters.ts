import { serverAddress } from './address.js';
import { parseMaster, type ZooKeeperPlace } from './master-address.js';

const SCHEDULER_PORT = '8081';

/** Where the scheduler of a cluster is: its address, or the place in ZooKeeper where it registers. */
export type SchedulerPlace = { readonly kind: 'http'; readonly base: string } | ZooKeeperPlace;

/**
 * The schedulers of clusters, by their names, from a `clusters.json` of Aurora's client: a list or an object of
 * clusters. What has no name is left out, as there; a cluster without a scheduler is undefined. Undefined if the text
 * is not such a file. Pure.
 */
export function parseClusters(text: string): ReadonlyMap<string, SchedulerPlace | undefined> | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof json !== 'object' || json === null) return undefined;
  const clusters = new Map<string, SchedulerPlace | undefined>();
  for (const cluster of Object.values(json) as unknown[]) {
    if (typeof cluster !== 'object' || cluster === null) return undefined;
    const fields = cluster as Readonly<Record<string, unknown>>;
    if (typeof fields.name === 'string') clusters.set(fields.name, schedulerIn(fields));
  }
  return clusters;
}

/** ZooKeeper first, as Aurora's client does. */
function schedulerIn({
  zk,
  zk_port: port = 2181,
  scheduler_zk_path: path,
  scheduler_uri: uri,
  proxy_url: proxy,
}: Readonly<Record<string, unknown>>): SchedulerPlace | undefined {
  if (typeof zk === 'string' && typeof path === 'string') {
    const servers = zk.split(',').map((host) => (/:\d+$/.test(host) ? host : `${host}:${port}`));
    const place = parseMaster(`zk://${servers.join(',')}${path}`);
    if (place?.kind === 'zookeeper') return place;
  }
  const address = typeof uri === 'string' ? uri : typeof proxy === 'string' ? proxy : '';
  const base = address === '' ? undefined : serverAddress(address, SCHEDULER_PORT);
  return base === undefined ? undefined : { kind: 'http', base };
}
