import {
  type Exchange,
  HttpConnection,
  type Late,
  type Patience,
  type Place,
  type Security,
} from './http-connection.js';

/** Those of 64 agents at once, with 4 for each, and those that are kept for the next look. */
const MOST_OPEN = 1500;

/** A server, and the connections to it that carry no call; those that were used last are last. */
export interface Origin {
  readonly place: Place;
  readonly security: Security | undefined;
  readonly idle: HttpConnection[];
}

/** Connections to servers, which are kept for the next call: more of each server if there are few servers. */
export class HttpPool {
  readonly #tickMs: number;
  readonly #patience: Patience;
  readonly #late: (why: Late) => unknown;
  #most = MOST_OPEN;
  #origins = 0;
  readonly #busy = new Set<HttpConnection>();
  /** Those that were used last are last. */
  readonly #idle = new Map<HttpConnection, Origin>();
  readonly #waiting: [Origin, Exchange][] = [];
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

  send(origin: Origin, exchange: Exchange): void {
    const kept = origin.idle.pop();
    if (kept !== undefined) {
      this.#idle.delete(kept);
      this.#begin(kept, origin, exchange);
    } else if (this.#open < this.#most || this.#closeOldest()) {
      const connection: HttpConnection = new HttpConnection(origin.place, origin.security, () =>
        this.#released(connection, origin),
      );
      this.#begin(connection, origin, exchange);
    } else this.#waiting.push([origin, exchange]);
  }

  /** Calls that are not over fail. */
  close(): void {
    this.#isClosed = true;
    for (const connection of [...this.#busy, ...this.#idle.keys()]) connection.close();
  }

  get #open(): number {
    return this.#busy.size + this.#idle.size;
  }

  #begin(connection: HttpConnection, origin: Origin, exchange: Exchange): void {
    this.#busy.add(connection);
    this.#timer ??= setInterval(() => this.#tick(), this.#tickMs);
    connection.send({
      text: exchange.text,
      most: exchange.most,
      answered: (answer) => exchange.answered(answer),
      failed: (error, isStale) => {
        if (this.#isClosed || !(isStale || this.#isFull(error))) exchange.failed(error, false);
        else if (isStale) this.send(origin, exchange);
        else this.#waiting.push([origin, exchange]);
      },
    });
  }

  /** This process may have no more open files: from now on it has no more connections than now. */
  #isFull(error: unknown): boolean {
    if ((error as NodeJS.ErrnoException).code !== 'EMFILE' || this.#open < 2) return false;
    this.#most = Math.max(1, Math.min(this.#most, this.#open - 1));
    return true;
  }

  /** The connection carries no call any more, or is closed. */
  #released(connection: HttpConnection, origin: Origin): void {
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
    const next = this.#waiting.shift();
    if (next !== undefined) this.send(...next);
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
    for (const connection of this.#busy) {
      const late = connection.tick(this.#patience);
      if (late !== undefined) connection.close(this.#late(late));
    }
  }
}
