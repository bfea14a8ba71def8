/** What masters and schedulers register in ZooKeeper, which whoever may write there can have written. */
import { isName } from '../layout/names.js';
import { isPlace } from './answers.js';
import { AgentFailure } from './failure.js';
import { fieldsIn } from './json-answer.js';
import type { ZooKeeperPlace } from './master-address.js';
import { fieldOf, numberOf, textOf } from './protobuf.js';
import { readZooKeeper, type ZooKeeper } from './zookeeper.js';

/** A node of a group: the lowest number leads. */
interface GroupMember {
  readonly name: string;
  readonly number: number;
}

/** Between the list of the members and the look at one of them, it may go away. */
const MOST_LOOKS = 3;

/**
 * `host:port` of the master that leads, by the name of its host and by its address, as it registered in ZooKeeper. Rejects
 * with AgentFailure.
 */
export function leadingMaster(place: ZooKeeperPlace): Promise<readonly string[]> {
  return readZooKeeper(place, async (zooKeeper) => {
    const { path } = place;
    const found = await firstMember(zooKeeper, path, /^(?:json\.)?info_(\d{10})$/);
    const places = placesOfMaster(found.data, found.name.startsWith('json.'));
    if (places.length > 0) return places;
    const what = `what is in ZooKeeper at ${path}/${found.name} is not a master`;
    throw new AgentFailure('odd', what, CHECK_PATH);
  });
}

const CHECK_PATH = 'is it the path that the masters have in their flag --zk?';

/** The data of the member with the lowest number. */
async function firstMember(
  zooKeeper: ZooKeeper,
  path: string,
  names: RegExp,
): Promise<{ name: string; data: Buffer }> {
  for (let look = 0; look < MOST_LOOKS; look++) {
    const first = (await childrenOf(zooKeeper, path))
      .flatMap((name): GroupMember[] => {
        const [, digits] = names.exec(name) ?? [];
        return digits === undefined ? [] : [{ name, number: Number(digits) }];
      })
      .sort((a, b) => a.number - b.number)[0];
    if (first === undefined) break;
    try {
      return { name: first.name, data: await zooKeeper.data(`${path}/${first.name}`) };
    } catch (error) {
      if (!(error instanceof AgentFailure) || error.kind !== 'absent') throw error;
    }
  }
  const none = `none leads: there is none at ${path} in ZooKeeper`;
  throw new AgentFailure(
    'recovering',
    none,
    'ask again in a minute; if that does not help, check that they are running',
  );
}

async function childrenOf(zooKeeper: ZooKeeper, path: string): Promise<readonly string[]> {
  try {
    return (await zooKeeper.children(path)).filter(isName);
  } catch (error) {
    if (!(error instanceof AgentFailure) || error.kind !== 'absent') throw error;
    throw new AgentFailure('odd', error.message, CHECK_PATH);
  }
}

/** `host:port`, each once, of what a master says about itself; none if it is not one. Pure. */
export function placesOfMaster(data: Buffer, isJson: boolean): readonly string[] {
  const { hostname, ip, port, pid } = isJson ? masterInJson(data) : masterInProtobuf(data);
  const own = port > 0 ? [`${hostname}:${port}`, `${ip}:${port}`] : [];
  const places = [...own, pid.split('@').at(-1) ?? ''];
  return [...new Set(places.filter(isPlace))];
}

interface RegisteredMaster {
  hostname: string;
  ip: string;
  port: number;
  pid: string;
}

const NOBODY: RegisteredMaster = { hostname: '', ip: '', port: 0, pid: '' };

function masterInJson(data: Buffer): RegisteredMaster {
  let json: unknown;
  try {
    json = JSON.parse(data.toString('utf8'));
  } catch {
    return NOBODY;
  }
  const { address, hostname, port, pid } = fieldsIn(json);
  const inner = fieldsIn(address);
  const textIn = (...values: unknown[]) => values.find((value) => typeof value === 'string') ?? '';
  return {
    hostname: String(textIn(inner.hostname, hostname)),
    ip: String(textIn(inner.ip)),
    port: Number(inner.port ?? port),
    pid: String(textIn(pid)),
  };
}

/** `MasterInfo`: address 7 {hostname 1, ip 2, port 3}, and older fields beside it. */
function masterInProtobuf(data: Buffer): RegisteredMaster {
  const address = fieldOf(data, 7)?.bytes;
  return {
    hostname: textOf(address, 1) ?? textOf(data, 5) ?? '',
    ip: textOf(address, 2) ?? '',
    port: numberOf(address, 3) ?? numberOf(data, 3) ?? 0,
    pid: textOf(data, 4) ?? '',
  };
}

/** The address of the scheduler of Aurora that leads, as it registered in ZooKeeper. Rejects with AgentFailure. */
export function leadingScheduler(place: ZooKeeperPlace): Promise<string> {
  return readZooKeeper(place, async (zooKeeper) => {
    const { path } = place;
    const { name, data } = await firstMember(zooKeeper, path, /member_(\d{10})$/);
    const address = addressOfScheduler(data);
    if (address !== undefined) return address;
    const what = `what is in ZooKeeper at ${path}/${name} is not a scheduler`;
    throw new AgentFailure('odd', what, 'is it the scheduler_zk_path of the cluster?');
  });
}

/** What a scheduler says about itself as a member of a server set; undefined if it is not one. Pure. */
export function addressOfScheduler(data: Buffer): string | undefined {
  let json: unknown;
  try {
    json = JSON.parse(data.toString('utf8'));
  } catch {
    return undefined;
  }
  const { serviceEndpoint, additionalEndpoints } = fieldsIn(json);
  const { https, http } = fieldsIn(additionalEndpoints);
  for (const [scheme, endpoint] of [
    ['https', https],
    ['http', http],
    ['http', serviceEndpoint],
  ] as const) {
    const { host, port } = fieldsIn(endpoint);
    if (isPlace(`${host}:${port}`)) return `${scheme}://${host}:${port}`;
  }
  return undefined;
}
