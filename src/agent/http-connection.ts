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
  /** It failed over a connection that was kept: it takes a new one, so that it is made no more than twice. */
  readonly isAgain?: boolean;
  answered(answer: AnswerReader): void;
  /** `isStale`: a connection that was kept was closed before anything of the answer came: the call has not been refused. */
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

/** Calls that may share a connection at the same time. */
export interface SharedCalls {
  /** So many of them do not share one: a connection broke while it carried several. */
  alone: number;
}

/** A server, or the proxy before it, may bear no calls that share a connection; or it closed one that was old. */
const ALONE_AFTER_BREAK = 200;

/** Calls that may be on their way over one connection. More would gain little, and would have to be made again if it broke. */
const MOST_ON_WAY = 8;

/** What all connections read into, one after the other: what is needed of it is copied at once. */
const SHARED = Buffer.allocUnsafeSlow(64 * 1024);

/**
 * A connection to a server. It carries one call at a time, or, once the server has shown that it keeps the connection, the calls
 * of one line that are made at the same moment: they are written together, and their answers come in their order.
 */
export class HttpConnection {
  readonly #socket: Socket;
  readonly #released: (connection: HttpConnection) => void;
  /** Those that are not answered, in their order. */
  readonly #exchanges: Exchange[] = [];
  /** Of the first of them. */
  #answer: AnswerReader | undefined;
  #line: SharedCalls | undefined;
  /** Calls that are written at the end of this moment. */
  #unwritten = '';
  #isConnected = false;
  #answered = 0;
  #bytes = 0;
  /** Since the first call began, once there is a connection, and since something came last. */
  #ticks = 0;
  #idle = 0;
  #error: unknown;
  #isGivenUp = false;
  /** Calls follow each other without waiting. */
  #isShared = false;

  /** `released`: called when all calls are over and when the connection is closed: it can be used again if it is open then. */
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
      this.#ticks = 0;
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

  /** Can it take another call of this line to those that are about to be written? */
  gathers(line: SharedCalls): boolean {
    const isGathering = this.#unwritten !== '' && this.#line === line && this.isOpen;
    return isGathering && this.#answered > 0 && line.alone === 0 && this.#exchanges.length < MOST_ON_WAY;
  }

  /** The connection is idle, or gathers calls of this line. */
  send(exchange: Exchange, line: SharedCalls): void {
    const count = this.#exchanges.push(exchange);
    if (count === 1) this.#expect(exchange);
    this.#isShared = count > 1;
    this.#line = line;
    if (line.alone > 0) line.alone -= 1;
    if (this.#unwritten === '') process.nextTick(() => this.#write());
    this.#unwritten += exchange.text;
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

  /** None of the calls is waited for any longer. */
  giveUp(error: unknown): void {
    this.#isGivenUp = true;
    this.close(error);
  }

  #write(): void {
    const text = this.#unwritten;
    this.#unwritten = '';
    if (this.isOpen) this.#socket.write(text, 'latin1');
  }

  #expect({ most }: Exchange): void {
    this.#answer = new AnswerReader(most);
    this.#bytes = 0;
    this.#ticks = 0;
    this.#idle = 0;
  }

  #take(length: number): void {
    this.#idle = 0;
    let at = 0;
    while (at < length) {
      const answer = this.#answer;
      if (answer === undefined) {
        // Nobody asked.
        this.#socket.destroy();
        return;
      }
      try {
        const end = answer.feed(SHARED, at, length);
        this.#bytes += end - at;
        at = end;
        // More than what was asked for is no reason to believe the rest.
        if (answer.isDone) this.#done(answer, answer.keeps && (at === length || this.#exchanges.length > 1));
      } catch (error) {
        // Something of the answer has come, even if it is not one.
        this.#bytes += 1;
        this.close(error);
        return;
      }
    }
  }

  #done(answer: AnswerReader, keeps: boolean): void {
    const exchange = this.#exchanges.shift();
    const [next] = this.#exchanges;
    this.#answered += 1;
    if (next === undefined) this.#answer = undefined;
    else this.#expect(next);
    if (!keeps) this.close();
    else if (next === undefined) this.#released(this);
    exchange?.answered(answer);
  }

  /** Nothing more comes. */
  #ended(): void {
    const answer = this.#answer;
    if (answer === undefined) return;
    try {
      if (this.#error === undefined && answer.atEnd()) {
        this.#done(answer, false);
        return;
      }
    } catch (error) {
      this.#error = error;
    }
    const exchanges = this.#exchanges.splice(0);
    this.#answer = undefined;
    this.#socket.destroy();
    if (this.#line !== undefined && this.#isShared) this.#line.alone = ALONE_AFTER_BREAK;
    const error = this.#error ?? Object.assign(new Error('closed'), { code: 'ECONNRESET' });
    const isStale = this.#answered > 0 && this.#bytes === 0;
    // What is behind the call that failed was not even begun to be answered.
    for (const [i, exchange] of exchanges.entries()) {
      exchange.failed(error, isStale || (i > 0 && !this.#isGivenUp));
    }
  }
}
