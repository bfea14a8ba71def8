import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readZooKeeper } from '../../src/agent/zookeeper.js';
import { request, text } from '../../src/agent/zookeeper-frames.js';

/** Of Debian's package `zookeeper`. */
const JAR = '/usr/share/java/zookeeper.jar';

export interface Server {
  place: string;
  /** Makes a node that anybody may read, or nobody but this `user:password`. */
  create(path: string, data: string | Buffer, options?: NodeOptions): Promise<string>;
  remove(path: string): Promise<void>;
  stop(): Promise<void>;
}

interface NodeOptions {
  /** Its name ends with a number that the server counts. */
  sequential?: boolean;
  owner?: string;
}

/** A server on a free port, with its files in a directory of its own. */
export async function startZooKeeper(): Promise<Server> {
  if (!existsSync(JAR)) throw new Error(`${JAR} is not here: apt-get install zookeeper`);
  const directory = mkdtempSync(join(tmpdir(), 'zookeeper-'));
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    const child = start(directory, port);
    if (await answers(child, port)) return serverOf(child, port, directory);
    // Another program may have taken the port.
    if (attempt === 3) throw new Error('the server of ZooKeeper does not start');
  }
}

function start(directory: string, port: number): ChildProcess {
  const config = join(directory, 'zoo.cfg');
  const settings = {
    tickTime: 2000,
    dataDir: join(directory, 'data'),
    clientPort: port,
    clientPortAddress: '127.0.0.1',
    'admin.enableServer': false,
  };
  writeFileSync(
    config,
    Object.entries(settings)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(''),
  );
  const main = 'org.apache.zookeeper.server.ZooKeeperServerMain';
  return spawn('java', ['-Xmx64m', '-Dzookeeper.sasl.disabled=true', '-cp', JAR, main, config], {
    cwd: directory,
    stdio: 'ignore',
  });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** False if it ended before it answered. */
async function answers(child: ChildProcess, port: number): Promise<boolean> {
  while (child.exitCode === null && child.signalCode === null) {
    try {
      // One that has just begun to listen takes a session and forgets it.
      const servers = [{ host: '127.0.0.1', port }];
      await readZooKeeper({ servers }, (zooKeeper) => zooKeeper.children('/'), 5000);
      return true;
    } catch {
      await sleep(100);
    }
  }
  return false;
}

const OPCODES = { create: 1, remove: 2, auth: 100 };
const ALL_RIGHTS = 31;

function serverOf(child: ChildProcess, port: number, directory: string): Server {
  return {
    place: `127.0.0.1:${port}`,
    create: async (path, data, { sequential = false, owner } = {}) => {
      const rights = owner === undefined ? ['world', 'anyone'] : ['auth', ''];
      const acl = [1, ALL_RIGHTS, ...rights.map(text)];
      const flags = sequential ? 2 : 0;
      return change(port, [1, OPCODES.create, text(path), Buffer.from(data), ...acl, flags], owner);
    },
    remove: async (path) => {
      await change(port, [1, OPCODES.remove, text(path), -1]);
    },
    stop: async () => {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Changes a node in a session of its own; returns the text of the answer, if there is one. */
async function change(port: number, values: Parameters<typeof request>[0], owner?: string): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port, timeout: 60_000 });
  socket.once('timeout', () => socket.destroy(new Error('ZooKeeper does not answer')));
  await once(socket, 'connect');
  socket.write(request([0, 0n, 30_000, 0n, Buffer.alloc(16), false]));
  if (owner !== undefined) socket.write(request([-4, OPCODES.auth, 0, text('digest'), Buffer.from(owner)]));
  socket.write(request(values));
  let all = Buffer.alloc(0);
  const wanted = owner === undefined ? 2 : 3;
  let frames: Buffer[] = [];
  for await (const bytes of socket as AsyncIterable<Buffer>) {
    all = Buffer.concat([all, bytes]);
    frames = framesIn(all);
    if (frames.length === wanted) break;
  }
  socket.destroy();
  const answer = frames.at(-1) ?? Buffer.alloc(0);
  const error = answer.readInt32BE(12);
  if (error !== 0) throw new Error(`ZooKeeper answers with error ${error}`);
  return answer.length > 20 ? answer.subarray(20).toString('utf8') : '';
}

function framesIn(bytes: Buffer): Buffer[] {
  const frames: Buffer[] = [];
  for (let at = 0; at + 4 <= bytes.length; ) {
    const end = at + 4 + bytes.readInt32BE(at);
    if (end > bytes.length) break;
    frames.push(bytes.subarray(at + 4, end));
    at = end;
  }
  return frames;
}
