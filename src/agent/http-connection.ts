import { connect, isIP, type Socket } from 'node:net';
import { connect as connectSecurely, type SecureContext, type TLSSocket } from 'node:tls';
import { AnswerReader } from './answer-reader.js';

/** Where connections lead. */
export interface Place {
  readonly url: URL;
  /** Without the brackets of an IPv6 address. */
  readonly hostname: string;
  readonly port: number;
}

export interface Security {
  readonly context: SecureContext;
  readonly rejectUnauthorized: boolean;
  /** What a server gave to make the next connection to it in less time. */
  session?: Buffer;
}

/** One call, and what is to be done with its answer. Exactly one of the two is called, once. */
export interface Exchange {
  readonly text: string;
  readonly most: number;
  answered(answer: AnswerReader): void;
  /** `isStale`: a connection that was kept was closed before anything came: the call has not been refused. */
  failed(error: unknown, isStale: boolean): void;
}

/** In ticks, not by a clock: a machine that stood still has not waited for anybody. */
export interface Patience {
  readonly connect: number;
  readonly idle: number;
  readonly whole: number;
  /** From so many ticks on, so many bytes have to have come for each. */
  readonly leastBytes: number;
}

/** Why a connection is given up. */
export type Late = 'connect' | 'idle' | 'whole' | 'slow';

/** What all connections read into, one after the other: what is needed of it is copied at once. */
const SHARED = Buffer.allocUnsafeSlow(64 * 1024);

/** A connection to a server, which carries one call at a time. */
export class HttpConnection {
  readonly #socket: Socket;
  readonly #released: (connection: HttpConnection) => void;
  #exchange: Exchange | undefined;
  #answer: AnswerReader | undefined;
  #isConnected = false;
  #calls = 0;
  #bytes = 0;
  /** Since the call began, and since something came last. */
  #ticks = 0;
  #idle = 0;
  #error: unknown;

  /** `released`: called when a call is over and when the connection is closed: it can be used again if it is open then. */
  constructor(
    { hostname: host, port }: Place,
    security: Security | undefined,
    released: (connection: HttpConnection) => void,
  ) {
    this.#released = released;
    const callback = (length: number) => {
      this.#take(length);
      return true;
    };
    const options = { host, port, noDelay: true, onread: { buffer: SHARED, callback } };
    const connected = () => {
      this.#isConnected = true;
      this.#idle = 0;
    };
    if (security === undefined) this.#socket = connect(options, connected);
    else {
      const { context: secureContext, rejectUnauthorized, session } = security;
      const servername = isIP(host) === 0 ? host : undefined;
      const secure: TLSSocket = connectSecurely(
        { ...options, secureContext, rejectUnauthorized, session, servername, ALPNProtocols: ['http/1.1'] },
        connected,
      );
      secure.on('session', (next) => {
        security.session = next;
      });
      this.#socket = secure;
    }
    // Who waits for an answer keeps the program running, not the connection.
    this.#socket.unref();
    this.#socket.on('error', (error) => {
      this.#error ??= error;
    });
    this.#socket.on('end', () => this.#ended());
    this.#socket.on('close', () => {
      this.#ended();
      this.#released(this);
    });
  }

  get isOpen(): boolean {
    return !this.#socket.destroyed && !this.#socket.readableEnded;
  }

  send(exchange: Exchange): void {
    this.#exchange = exchange;
    this.#answer = new AnswerReader(exchange.most);
    this.#calls += 1;
    this.#bytes = 0;
    this.#ticks = 0;
    this.#idle = 0;
    this.#socket.write(exchange.text, 'utf8');
  }

  /** Some time has passed: for what it is too late, if anything. */
  tick(patience: Patience): Late | undefined {
    this.#ticks += 1;
    this.#idle += 1;
    if (!this.#isConnected) return this.#idle >= patience.connect ? 'connect' : undefined;
    if (this.#idle >= patience.idle) return 'idle';
    if (this.#ticks >= patience.whole) return 'whole';
    return this.#ticks >= patience.idle && this.#bytes < this.#ticks * patience.leastBytes
      ? 'slow'
      : undefined;
  }

  close(error?: unknown): void {
    this.#error ??= error;
    this.#socket.destroy();
    this.#ended();
  }

  #take(length: number): void {
    const answer = this.#answer;
    if (answer === undefined) {
      // Nobody asked.
      this.#socket.destroy();
      return;
    }
    this.#idle = 0;
    this.#bytes += length;
    try {
      const end = answer.feed(SHARED, 0, length);
      if (answer.isDone) this.#done(answer, answer.keeps && end === length);
    } catch (error) {
      this.close(error);
    }
  }

  #done(answer: AnswerReader, keeps: boolean): void {
    const exchange = this.#exchange;
    this.#exchange = undefined;
    this.#answer = undefined;
    if (!keeps) this.#socket.destroy();
    else this.#released(this);
    exchange?.answered(answer);
  }

  /** Nothing more comes. */
  #ended(): void {
    const { exchange, answer } = { exchange: this.#exchange, answer: this.#answer };
    if (exchange === undefined || answer === undefined) return;
    try {
      if (this.#error === undefined && answer.atEnd()) {
        this.#done(answer, false);
        return;
      }
    } catch (error) {
      this.#error = error;
    }
    this.#exchange = undefined;
    this.#answer = undefined;
    this.#socket.destroy();
    const error = this.#error ?? Object.assign(new Error('closed'), { code: 'ECONNRESET' });
    exchange.failed(error, this.#calls > 1 && this.#bytes === 0);
  }
}
