import { connect, type Socket } from 'node:net';
import { AgentFailure } from './failure.js';
import { FrameCutter, FrameReader, request, text } from './zookeeper-frames.js';

/** A server of ZooKeeper that answers, as far as reading needs it. Everything rejects with AgentFailure. */
export interface ZooKeeper {
  /** The names below a node. Rejects with `absent` if there is no such node. */
  children(path: string): Promise<readonly string[]>;
  data(path: string): Promise<Buffer>;
}

export interface ZooKeeperServers {
  readonly servers: readonly { readonly host: string; readonly port: number }[];
  /** `user:password`: a secret. */
  readonly auth?: string;
}

/** How long one server has for everything; a session lasts longer, so that it needs no pings. */
const WHOLE_MS = 10_000;
const SESSION_MS = 30_000;
const MOST_CHILDREN = 10_000;

/**
 * Reads in ZooKeeper, on the first of these servers that answers. A server that fails is not asked again, but what it says
 * about a node holds: `use` may be called again only after a connection failed. Rejects with AgentFailure.
 */
export async function readZooKeeper<T>(
  { servers, auth }: ZooKeeperServers,
  use: (zooKeeper: ZooKeeper) => Promise<T>,
  wholeMs = WHOLE_MS,
): Promise<T> {
  const failures: string[] = [];
  for (const { host, port } of servers) {
    const session = new ZooKeeperSession(host, port, wholeMs);
    try {
      await session.open(auth);
      return await use(session);
    } catch (error) {
      if (!(error instanceof AgentFailure) || error.kind !== 'unreachable') throw error;
      failures.push(`${host}:${port} ${error.message}`);
    } finally {
      session.close();
    }
  }
  throw new AgentFailure('unreachable', `ZooKeeper does not answer: ${failures.join('; ')}`, CHECK_SERVERS);
}

const CHECK_SERVERS = 'check that it is running there; its port is 2181 by default';

const OPCODES = { data: 4, children: 8, close: -11, auth: 100 } as const;
/** Of a request for rights, which is answered out of turn, and of what nobody asked for. */
const AUTH_XID = -4;
const WATCH_XID = -1;
const PING_XID = -2;

const NO_NODE = -101;
const NO_AUTH = -102;
const AUTH_FAILED = -115;

class ZooKeeperSession implements ZooKeeper {
  readonly #host: string;
  readonly #socket: Socket;
  readonly #frames = new FrameCutter();
  readonly #timer: NodeJS.Timeout;
  #failure: AgentFailure | undefined;
  #waiting: (() => void) | undefined;
  #xid = 0;

  constructor(host: string, port: number, wholeMs: number) {
    this.#host = host;
    this.#socket = connect({ host, port });
    this.#timer = setTimeout(() => this.#fail(`did not answer within ${wholeMs / 1000}s`), wholeMs);
    this.#socket.on('error', (error: NodeJS.ErrnoException) => this.#fail(this.#why(error)));
    this.#socket.on('close', () => this.#fail('closed the connection: it may have no leader'));
    this.#socket.on('data', (bytes: Buffer) => {
      if (!this.#frames.add(bytes)) this.#fail('does not speak as ZooKeeper does');
      this.#waiting?.();
    });
  }

  async open(auth: string | undefined): Promise<void> {
    const password = Buffer.alloc(16);
    this.#socket.write(request([0, 0n, SESSION_MS, 0n, password, false]));
    const answer = await this.#frame();
    answer.int();
    // A session that the server does not give ends at once.
    if (answer.int() <= 0 || answer.failed) throw this.#odd();
    if (auth === undefined) return;
    this.#socket.write(request([AUTH_XID, OPCODES.auth, 0, text('digest'), Buffer.from(auth)]));
    await this.#reply(AUTH_XID);
  }

  async children(path: string): Promise<readonly string[]> {
    const reply = await this.#ask(OPCODES.children, path);
    const count = reply.int();
    if (count < 0 || count > MOST_CHILDREN) throw this.#odd();
    const names: string[] = [];
    for (let i = 0; i < count && !reply.failed; i++) names.push(reply.buffer().toString('utf8'));
    if (reply.failed) throw this.#odd();
    return names;
  }

  async data(path: string): Promise<Buffer> {
    const reply = await this.#ask(OPCODES.data, path);
    const bytes = reply.buffer();
    if (reply.failed) throw this.#odd();
    return bytes;
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#failure ??= new AgentFailure('unreachable', 'was closed');
    if (this.#socket.writable) this.#socket.end(request([++this.#xid, OPCODES.close]));
    // Who does not close its end keeps nobody waiting.
    this.#socket.unref();
    this.#socket.destroySoon();
  }

  async #ask(opcode: number, path: string): Promise<FrameReader> {
    const xid = ++this.#xid;
    this.#socket.write(request([xid, opcode, text(path), false]));
    const { reply, error } = await this.#reply(xid);
    if (error === 0) return reply;
    if (error === NO_NODE) throw new AgentFailure('absent', `ZooKeeper has no ${path}`);
    if (error === NO_AUTH) {
      throw new AgentFailure(
        'unauthorized',
        `ZooKeeper does not let us read ${path}`,
        'say who you are: zk://USER:PASSWORD@… in THERMOS_MASTER, or in a file that --master file:///PATH names',
      );
    }
    throw new AgentFailure('unreachable', `answers with error ${error}`);
  }

  async #reply(xid: number): Promise<{ reply: FrameReader; error: number }> {
    for (;;) {
      const reply = await this.#frame();
      const [of, , error] = [reply.int(), reply.long(), reply.int()];
      if (reply.failed) throw this.#odd();
      if (of === xid && error === AUTH_FAILED) {
        throw new AgentFailure('unauthorized', 'ZooKeeper does not know the user and password');
      }
      if (of === xid) return { reply, error };
      if (of !== WATCH_XID && of !== PING_XID) throw this.#odd();
    }
  }

  async #frame(): Promise<FrameReader> {
    for (;;) {
      const frame = this.#frames.next();
      if (frame !== undefined) return new FrameReader(frame);
      if (this.#failure !== undefined) throw this.#failure;
      await new Promise<void>((resolve) => {
        this.#waiting = resolve;
      });
    }
  }

  #fail(why: string): void {
    this.#failure ??= new AgentFailure('unreachable', why);
    this.#socket.destroy();
    this.#waiting?.();
  }

  #odd(): AgentFailure {
    return new AgentFailure('unreachable', 'does not speak as ZooKeeper does');
  }

  #why({ code = '', message }: NodeJS.ErrnoException): string {
    if (code === 'ECONNREFUSED') return 'refuses the connection';
    if (code === 'ENOTFOUND') return `cannot be found: there is no host ${this.#host}`;
    return code === '' ? message : `cannot be reached (${code})`;
  }
}
