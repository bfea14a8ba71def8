import { type AddressInfo, createServer, type Socket } from 'node:net';
import { afterEach, expect, test, vi } from 'vitest';
import { HttpClient, type HttpOptions } from '../../src/agent/http.js';

const closes: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closes.splice(0).reverse()) await close();
});

/** What came over one connection, in the pieces in which it came: the paths that were asked for. */
type Pieces = string[][];

/** A server that is told of each piece that comes; returns its address, and what came over its connections. */
async function serve(
  answer: (paths: readonly string[], socket: Socket) => void,
): Promise<{ url: string; connections: Pieces[] }> {
  const connections: Pieces[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    const pieces: Pieces = [];
    connections.push(pieces);
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      const paths = [...bytes.toString().matchAll(/^GET (\S+) HTTP/gm)].map(([, path]) => path ?? '');
      pieces.push(paths);
      answer(paths, socket);
    });
  });
  closes.push(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, connections };
}

const answerTo = (path: string, head = '') =>
  `HTTP/1.1 200 OK\r\n${head}Content-Length: ${path.length}\r\n\r\n${path}`;

function clientOf(options: HttpOptions = {}): HttpClient {
  const client = new HttpClient(options);
  closes.push(() => client.close());
  return client;
}

async function ask(client: HttpClient, base: string, path: string): Promise<string> {
  return (await client.ask({ base, path, most: 1000 })).body.toString();
}

const PATHS = Array.from({ length: 12 }, (_, i) => `/${i}`);

test('calls that are made at the same moment are sent together, over four connections at most, once one was kept', async () => {
  const { url, connections } = await serve((paths, socket) => {
    // However the answers are cut, they belong to the calls in their order.
    for (const letter of paths.map((path) => answerTo(path)).join('')) socket.write(letter);
  });
  const client = clientOf();
  expect(await ask(client, url, '/first')).toBe('/first');
  expect(await Promise.all(PATHS.map((path) => ask(client, url, path)))).toEqual(PATHS);
  expect(connections[0]?.slice(0, 2)).toEqual([['/first'], PATHS.slice(0, 8)]);
  expect(connections.length).toBeLessThanOrEqual(4);
  expect(connections.flat(2).toSorted()).toEqual(['/first', ...PATHS].toSorted());
});

test.each([
  ['says that it closes the connection', 'Connection: close\r\n'],
  ['closes the connection without a word', ''],
])('of a server that %s after each answer, the next calls are made alone', async (_, head) => {
  const { url, connections } = await serve(([path = ''], socket) => {
    if (path === '/first') socket.write(answerTo(path));
    else socket.end(answerTo(path, head));
  });
  const client = clientOf();
  await ask(client, url, '/first');
  expect(await Promise.all(PATHS.map((path) => ask(client, url, path)))).toEqual(PATHS);
  const together = connections.flat().filter((paths) => paths.length > 1);
  expect(together).toEqual([PATHS.slice(0, 8)]);
});

test('a connection that breaks in the middle of an answer loses none of the calls behind it', async () => {
  let breaks = true;
  const { url } = await serve((paths, socket) => {
    const all = paths.map((path) => answerTo(path)).join('');
    if (paths.length === 1 || !breaks) {
      socket.write(all);
      return;
    }
    breaks = false;
    socket.end(all.slice(0, 1.5 * answerTo('/0').length));
  });
  const client = clientOf();
  await ask(client, url, '/first');
  expect(await Promise.all(PATHS.map((path) => ask(client, url, path)))).toEqual(PATHS);
});

test('no agent waits for another one behind the same proxy', async () => {
  const { url } = await serve((paths, socket) => {
    for (const path of paths) if (!path.startsWith('/hangs/later')) socket.write(answerTo(path));
  });
  const client = clientOf();
  await ask(client, `${url}/hangs`, '/first');
  const hanging = ask(client, `${url}/hangs`, '/later').catch(() => 'never answered');
  expect(await ask(client, `${url}/works`, '/now')).toBe('/works/now');
  client.close();
  expect(await hanging).toBe('never answered');
});

test('calls to a server that stops answering fail, and none is made more than twice', async () => {
  const { url, connections } = await serve((paths, socket) => {
    for (const path of paths) if (path === '/first') socket.write(answerTo(path));
  });
  const client = clientOf({ idleMs: 200 });
  await ask(client, url, '/first');
  const failures = await Promise.allSettled(PATHS.map((path) => ask(client, url, path)));
  expect(new Set(failures.map(({ status }) => status))).toEqual(new Set(['rejected']));
  // A kept connection may be dead without a word: what it carried is made once more.
  const times = PATHS.map((path) => connections.flat(2).filter((each) => each === path).length);
  expect(Math.max(...times)).toBe(2);
});

test.each([
  ['is silent', '', 2],
  ['says what is not HTTP', 'no HTTP\r\n\r\n', 1],
] as const)(
  'however many connections were kept, a call to a server that now %s is not made over all of them',
  async (_, said, times) => {
    const waiting: Socket[] = [];
    const { url, connections } = await serve(([path = ''], socket) => {
      if (path === '/later') socket.write(said);
      // Four at once, each over a connection of its own.
      else if (waiting.push(socket) === 4) for (const each of waiting) each.write(answerTo('/now'));
    });
    const client = clientOf({ idleMs: 200 });
    await Promise.all(PATHS.slice(0, 4).map((path) => ask(client, url, path)));
    expect(connections).toHaveLength(4);
    await expect(ask(client, url, '/later')).rejects.toMatchObject({ kind: expect.any(String) });
    expect(connections.flat(2).filter((path) => path === '/later')).toHaveLength(times);
  },
);

test('a call of a client that is closed fails, also one that a server had begun to answer, and is not made again', async () => {
  const { url, connections } = await serve((_, socket) => socket.write('HTTP/1.1 200 OK\r\n\r\nhalf an ans'));
  const client = clientOf();
  const answer = ask(client, url, '/1');
  await vi.waitFor(() => expect(connections.flat(2)).toEqual(['/1']), { timeout: 30_000 });
  client.close();
  await expect(answer).rejects.toMatchObject({ kind: 'unreachable' });
  await expect(ask(client, url, '/2')).rejects.toMatchObject({ kind: 'unreachable' });
  expect(connections.flat(2)).toEqual(['/1']);
});
