import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { leadingMaster, placesOfMaster } from '../../src/agent/registered.js';
import { readZooKeeper } from '../../src/agent/zookeeper.js';
import { FrameReader, Frames, request, text } from '../../src/agent/zookeeper-frames.js';

const servers: { server: Server; sockets: Set<Socket> }[] = [];
afterEach(async () => {
  for (const { server, sockets } of servers.splice(0)) {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  }
});

/** A server that answers each frame, the first of which opens the session, with these bytes; without bytes, not at all. */
async function serverOf(
  answer: (frame: Buffer, index: number) => Buffer | 'close' | undefined,
): Promise<{ host: string; port: number }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    const frames = new Frames();
    let index = 0;
    socket.on('error', () => {});
    socket.on('data', (bytes: Buffer) => {
      frames.add(bytes);
      for (let frame = frames.next(); frame !== undefined; frame = frames.next()) {
        const bytes = answer(frame, index++);
        if (bytes === 'close') socket.destroy();
        else if (bytes !== undefined) socket.write(bytes);
      }
    });
  });
  servers.push({ server, sockets });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
}

const OPEN = request([0, 30_000, 7n, Buffer.alloc(16), false]);

/** Serves nodes as ZooKeeper does. */
function tree(nodes: Readonly<Record<string, string | Buffer>>, error = 0) {
  return (frame: Buffer, index: number): Buffer | 'close' => {
    if (index === 0) return OPEN;
    const reader = new FrameReader(frame);
    const [xid, opcode] = [reader.int(), reader.int()];
    if (opcode === -11) return 'close';
    const path = reader.buffer().toString();
    if (error !== 0) return request([xid, 1n, error]);
    const node = nodes[path];
    if (node === undefined) return request([xid, 1n, -101]);
    if (opcode === 4) return request([xid, 1n, 0, Buffer.from(node)]);
    const names = Object.keys(nodes).flatMap((each) =>
      each.startsWith(`${path}/`) ? [each.slice(path.length + 1)] : [],
    );
    return request([xid, 1n, 0, names.length, ...names.map(text)]);
  };
}

const placeAt = (...list: { host: string; port: number }[]) =>
  ({ kind: 'zookeeper', servers: list, path: '/mesos' }) as const;

const INFO = '{"address":{"hostname":"m","ip":"10.0.0.1","port":5050}}';

test('the lowest number leads, in whichever form it registered', async () => {
  const old = Buffer.from([0x18, 0xba, 0x27, 0x2a, 1, 0x6e]);
  const nodes = { '/mesos': '', '/mesos/json.info_0000000012': INFO, '/mesos/info_0000000009': old };
  const server = await serverOf(tree(nodes));
  expect(await leadingMaster(placeAt(server))).toEqual(['n:5050']);
  const later = { ...nodes, '/mesos/json.info_0000000002': INFO, '/mesos/xinfo_0000000001': 'x' };
  expect(await leadingMaster(placeAt(await serverOf(tree(later))))).toEqual(['m:5050', '10.0.0.1:5050']);
});

test('what registered and is not a master is said', async () => {
  const nodes = { '/mesos': '', '/mesos/json.info_0000000001': '{"x":1}' };
  await expect(leadingMaster(placeAt(await serverOf(tree(nodes))))).rejects.toMatchObject({
    kind: 'odd',
    message: 'what is in ZooKeeper at /mesos/json.info_0000000001 is not a master',
  });
});

test('a leader that goes away between two looks is looked for again, and not for ever', async () => {
  let looks = 0;
  const list = request([1, 1n, 0, 1, text('json.info_0000000001')]);
  const server = await serverOf((frame, index) => {
    if (index === 0) return OPEN;
    const reader = new FrameReader(frame);
    const [xid, opcode] = [reader.int(), reader.int()];
    if (opcode === 8) {
      looks += 1;
      list.writeInt32BE(xid, 4);
      return list;
    }
    return request([xid, 1n, -101]);
  });
  await expect(leadingMaster(placeAt(server))).rejects.toMatchObject({ kind: 'recovering' });
  expect(looks).toBe(3);
});

describe('a server that is not one, or fails', () => {
  const huge = Buffer.from([0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0]);
  test.each<[string, (frame: Buffer, index: number) => Buffer | 'close' | undefined, RegExp]>([
    ['closes at once', () => 'close', /closed the connection/],
    [
      'speaks HTTP',
      () => Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'),
      /does not speak as ZooKeeper does/,
    ],
    ['announces 2 GB', () => huge, /does not speak as ZooKeeper does/],
    ['announces less than nothing', () => Buffer.from([0xff, 0xff, 0xff, 0xff]), /does not speak/],
    ['gives no session', () => request([0, 0, 0n, Buffer.alloc(16)]), /does not speak/],
    ['opens with an empty frame', () => request([]), /does not speak/],
    ['answers another question', (_, i) => (i === 0 ? OPEN : request([77, 1n, 0, 0])), /does not speak/],
    ['counts a billion names', (_, i) => (i === 0 ? OPEN : request([1, 1n, 0, 1e9])), /does not speak/],
    ['names one of 2 GB', (_, i) => (i === 0 ? OPEN : request([1, 1n, 0, 1, 0x7fffffff])), /does not speak/],
    ['has an error', tree({}, -4), /answers with error -4/],
  ])('%s: the next one is asked', async (_, answer, why) => {
    const bad = await serverOf(answer);
    const good = await serverOf(tree({ '/mesos': '' }));
    const read = (...list: (typeof bad)[]) =>
      readZooKeeper({ servers: list }, (zooKeeper) => zooKeeper.children('/mesos'), 60_000);
    await expect(read(bad)).rejects.toMatchObject({
      kind: 'unreachable',
      message: expect.stringMatching(why),
    });
    expect(await read(bad, good)).toEqual([]);
  });

  test.each<[string, (frame: Buffer, index: number) => Buffer | undefined]>([
    ['cuts an answer', (_, i) => (i === 0 ? OPEN : request([1, 1n]).subarray(0, 9))],
    ['says nothing', () => undefined],
  ])('%s: it is given up in time', async (_, answer) => {
    const bad = await serverOf(answer);
    const read = readZooKeeper({ servers: [bad] }, (zooKeeper) => zooKeeper.children('/mesos'), 200);
    await expect(read).rejects.toMatchObject({
      message: expect.stringContaining('did not answer within 0.2s'),
    });
  });
});

test('a wrong password is said, and not shown', async () => {
  const server = await serverOf((_, index) => (index === 0 ? OPEN : request([-4, 0n, -115])));
  await expect(leadingMaster({ ...placeAt(server), auth: 'me:never-shown' })).rejects.toMatchObject({
    kind: 'unauthorized',
    message: 'ZooKeeper does not know the user and password',
  });
});

test('frames come whole however the bytes were cut, and any bytes are read or fail', () => {
  const frame = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes));
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 5 }), fc.array(fc.nat(60)), (bodies, cuts) => {
      const all = Buffer.concat(bodies.map((body) => Buffer.concat([request([]), body])));
      let at = 0;
      for (const body of bodies) {
        all.writeInt32BE(body.length, at);
        at += 4 + body.length;
      }
      const frames = new Frames();
      const found: Buffer[] = [];
      let rest = all;
      for (const cut of [...cuts, all.length]) {
        frames.add(rest.subarray(0, cut));
        rest = rest.subarray(cut);
        for (let next = frames.next(); next !== undefined; next = frames.next()) found.push(next);
      }
      expect(found.map(String)).toEqual(bodies.map(String));
    }),
  );
  fc.assert(
    fc.property(frame, fc.array(fc.constantFrom('int', 'long', 'buffer')), (bytes, reads) => {
      const reader = new FrameReader(bytes);
      for (const name of reads) reader[name as 'int']();
      expect(typeof reader.failed).toBe('boolean');
    }),
  );
});

test('any data of a node is a master or not one', () => {
  fc.assert(
    fc.property(fc.oneof(fc.json(), fc.string()), fc.uint8Array(), (json, bytes) => {
      for (const place of [
        ...placesOfMaster(Buffer.from(json), true),
        ...placesOfMaster(Buffer.from(bytes), false),
      ])
        expect(place).toMatch(/^[\w.[\]:-]+:\d+$/);
    }),
  );
});
