import {
  type Exchange,
  HttpConnection,
  type Late,
  type Patience,
  type Place,
  type Security,
  type SharedCalls,
} from './http-connection.js';

/** Those of 64 agents at once, with 4 for each, and those that are kept for the next look. */
const MOST_OPEN = 1500;
/** Connections that carry calls of one queue. */
const MOST_BUSY = 4;

/** A server, and the connections to it that carry no call; those that were used last are last. */
export interface Origin {
  readonly place: Place;
  readonly security: Security | undefined;
  readonly idle: HttpConnection[];
}

/** The calls to one agent, also if it is one of many behind a proxy: none of them waits for an answer of another agent. */
export interface CallQueue extends SharedCalls {
  /** Connections that carry its calls now. */
  busy: number;
  /** The one that began to carry calls last, and where it leads. */
  last?: HttpConnection;
  lastOrigin?: Origin;
  /** Calls for which all connections are busy. */
  readonly waiting: [Origin, Exchange][];
}

/** Connections to servers, which are kept for the next call: more of each server if there are few servers. */
export class HttpPool {
  readonly #tickMs: number;
  readonly #patience: Patience;
  readonly #late: (why: Late) => unknown;
  #most = MOST_OPEN;
  #origins = 0;
  readonly #busy = new Map<HttpConnection, CallQueue>();
  /** Those that were used last are last. */
  readonly #idle = new Map<HttpConnection, Origin>();
  readonly #waiting: [CallQueue, Origin, Exchange][] = [];
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  /** `late`: the error of a call that is given up. */
  constructor(tickMs: number, patience: Patience, late: (why: Late) => unknown) {
    this.#tickMs = tickMs;
    this.#patience = patience;
    this.#late = late;
  }

  origin(place: Place, security: Security | undefined): Origin {
    this.#origins += 1;
    return { place, security, idle: [] };
  }

  queue(): CallQueue {
    return { busy: 0, waiting: [], alone: 0 };
  }

  send(queue: CallQueue, origin: Origin, exchange: Exchange): void {
    if (this.#isClosed) {
      exchange.failed(closed(), false);
      return;
    }
    const { isAgain = false } = exchange;
    if (!isAgain && queue.lastOrigin === origin && queue.last?.gathers(queue)) {
      this.#begin(queue.last, queue, origin, exchange);
      return;
    }
    if (queue.busy >= MOST_BUSY) {
      queue.waiting.push([origin, exchange]);
      return;
    }
    const kept = isAgain ? undefined : origin.idle.pop();
    if (kept !== undefined) {
      this.#idle.delete(kept);
      this.#take(kept, queue, origin, exchange);
    } else if (this.#open < this.#most || this.#closeOldest()) {
      const connection: HttpConnection = new HttpConnection(origin.place, origin.security, () =>
        this.#released(connection, origin),
      );
      this.#take(connection, queue, origin, exchange);
    } else this.#waiting.push([queue, origin, exchange]);
  }

  /** Calls that are not over fail. */
  close(): void {
    this.#isClosed = true;
    for (const connection of [...this.#busy.keys(), ...this.#idle.keys()]) connection.close(closed());
  }

  get #open(): number {
    return this.#busy.size + this.#idle.size;
  }

  #take(connection: HttpConnection, queue: CallQueue, origin: Origin, exchange: Exchange): void {
    this.#busy.set(connection, queue);
    queue.busy += 1;
    queue.last = connection;
    queue.lastOrigin = origin;
    this.#timer ??= setInterval(() => this.#tick(), this.#tickMs);
    this.#begin(connection, queue, origin, exchange);
  }

  #begin(connection: HttpConnection, queue: CallQueue, origin: Origin, exchange: Exchange): void {
    const { text, most } = exchange;
    const failed = (error: unknown, isStale: boolean) => {
      if (this.#isClosed || !(isStale || this.#isFull(error))) exchange.failed(error, false);
      else if (isStale) this.send(queue, origin, { ...exchange, isAgain: true });
      else this.#waiting.push([queue, origin, exchange]);
    };
    connection.send({ text, most, answered: (answer) => exchange.answered(answer), failed }, queue);
  }

  /** This process may have no more open files: from now on it has no more connections than now. */
  #isFull(error: unknown): boolean {
    if ((error as NodeJS.ErrnoException).code !== 'EMFILE' || this.#open < 2) return false;
    this.#most = Math.max(1, Math.min(this.#most, this.#open - 1));
    return true;
  }

  /** The connection carries no call any more, or is closed. */
  #released(connection: HttpConnection, origin: Origin): void {
    const queue = this.#busy.get(connection);
    this.#busy.delete(connection);
    if (this.#idle.delete(connection)) origin.idle.splice(origin.idle.indexOf(connection), 1);
    if (this.#busy.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
    if (connection.isOpen && !this.#isClosed) {
      if (origin.idle.length >= Math.max(1, Math.floor(this.#most / this.#origins))) connection.close();
      else {
        origin.idle.push(connection);
        this.#idle.set(connection, origin);
      }
    }
    if (queue !== undefined) {
      queue.busy -= 1;
      this.#sendWaiting(queue);
    }
    const next = this.#waiting.shift();
    if (next !== undefined) this.send(...next);
  }

  #sendWaiting(queue: CallQueue): void {
    // As many as a connection takes; those for which there is none wait again.
    for (
      let left = queue.waiting.length;
      left > 0 && (queue.busy < MOST_BUSY || queue.last?.gathers(queue));
      left--
    ) {
      const [origin, exchange] = queue.waiting.shift() as [Origin, Exchange];
      this.send(queue, origin, exchange);
    }
  }

  #closeOldest(): boolean {
    for (const [connection, origin] of this.#idle) {
      this.#idle.delete(connection);
      origin.idle.splice(origin.idle.indexOf(connection), 1);
      connection.close();
      return true;
    }
    return false;
  }

  #tick(): void {
    for (const connection of this.#busy.keys()) {
      const late = connection.tick(this.#patience);
      if (late !== undefined) connection.giveUp(this.#late(late));
    }
  }
}

function closed(): Error {
  return Object.assign(new Error('closed'), { code: 'ECONNRESET' });
}
