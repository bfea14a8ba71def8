import { type Load, NoAnswer } from '../client.js';
import { text as program } from './frame.ts?inline';

/** Each agent has a frame of its own, at most this many at once: a frame costs as much as a small page. */
const MOST_FRAMES = 64;
/** A slower agent does not answer. */
const PATIENCE_MS = 15_000;
/** A longer answer is not read: that of an agent with 10,000 sandboxes has a tenth of it. */
const LONGEST_ANSWER = 128 * 1024 * 1024;

/** Each character stands for one byte: all 256 of them come through, in whatever encoding they are. */
const BYTES = 'x-user-defined';

/**
 * Loads answers as scripts, because agents allow pages of others nothing else. A script does what it wants where it runs:
 * in a frame without an origin, which can reach neither the page nor the frames of other agents, nor lead anywhere.
 */
export class AgentFrames {
  readonly #frames = new Map<string, AgentFrame>();
  readonly #bySource = new WeakMap<MessageEventSource, AgentFrame>();
  readonly #waiting: (() => void)[] = [];
  readonly #place: Element;

  constructor(place: Element) {
    this.#place = place;
    // One for all frames: each answer would go to each of theirs.
    addEventListener('message', ({ source, data }: MessageEvent<unknown>) => {
      if (source !== null) this.#bySource.get(source)?.hear(data);
    });
  }

  /** How to ask the agent or master with this address. */
  loadFrom(base: string): Load {
    return (address) => this.#load(base, address, { query: 'jsonp' });
  }

  /** Loads a script that calls the function of this name. */
  loadCall(address: string, name: string): Promise<unknown> {
    return this.#load(`${address} ${name}`, address, { name });
  }

  async #load(base: string, address: string, how: { query: string } | { name: string }): Promise<unknown> {
    const frame = await this.#frameOf(base);
    try {
      return await frame.load(address, how);
    } finally {
      if (frame.isBroken) this.#close(base);
      this.#waiting.shift()?.();
    }
  }

  async #frameOf(base: string): Promise<AgentFrame> {
    for (;;) {
      const known = this.#frames.get(base);
      if (known !== undefined) {
        // The one that was used last is the last in the map.
        this.#frames.delete(base);
        this.#frames.set(base, known);
        return known;
      }
      if (this.#frames.size >= MOST_FRAMES) {
        const idle = [...this.#frames].find(([, frame]) => !frame.isBusy);
        if (idle !== undefined) this.#close(idle[0]);
        else {
          await new Promise<void>((resolve) => this.#waiting.push(resolve));
          continue;
        }
      }
      const frame = new AgentFrame(this.#place);
      this.#bySource.set(frame.source, frame);
      this.#frames.set(base, frame);
      return frame;
    }
  }

  #close(base: string): void {
    this.#frames.get(base)?.close();
    this.#frames.delete(base);
  }
}

interface Pending {
  resolve: (text: string | undefined) => void;
}

class AgentFrame {
  readonly #element = document.createElement('iframe');
  readonly #pending = new Map<string, Pending>();
  readonly #ready: Promise<void>;
  #isReady: () => void = () => {};
  /** It did not answer in time: whatever runs in it may run for ever. */
  isBroken = false;

  constructor(place: Element) {
    this.#ready = new Promise((resolve) => {
      this.#isReady = resolve;
    });
    this.#element.setAttribute('sandbox', 'allow-scripts');
    this.#element.hidden = true;
    this.#element.title = 'Answers of one agent';
    this.#element.srcdoc = `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="referrer" content="no-referrer"><title>Answers</title></head><body><script>${program}</script></body></html>`;
    place.append(this.#element);
  }

  /** Who its messages are from. */
  get source(): MessageEventSource {
    return this.#element.contentWindow as Window;
  }

  /** Takes a message of whatever runs in it. */
  hear(data: unknown): void {
    if (typeof data !== 'object' || data === null) return;
    const { ready, id, text } = data as Record<string, unknown>;
    if (ready === true) this.#isReady();
    if (typeof id === 'string') this.#pending.get(id)?.resolve(typeof text === 'string' ? text : undefined);
  }

  get isBusy(): boolean {
    return this.#pending.size > 0;
  }

  async load(address: string, how: { query: string } | { name: string }): Promise<unknown> {
    const id = 'name' in how ? how.name : secretName();
    const query = 'name' in how ? '' : `${address.includes('?') ? '&' : '?'}${how.query}=${id}`;
    const answered = new Promise<string | undefined>((resolve) => this.#pending.set(id, { resolve }));
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), PATIENCE_MS);
    });
    void this.#ready.then(() => {
      const charset = 'name' in how ? 'utf-8' : BYTES;
      this.#element.contentWindow?.postMessage({ id, address: address + query, charset }, '*');
    });
    const text = await Promise.race([answered, late]);
    clearTimeout(timer);
    this.#pending.delete(id);
    if (text === 'late') this.isBroken = true;
    if (text === undefined || text === 'late' || text.length > LONGEST_ANSWER) {
      throw new NoAnswer(`${address} does not answer`);
    }
    return JSON.parse(text);
  }

  close(): void {
    this.#element.remove();
    for (const { resolve } of this.#pending.values()) resolve(undefined);
  }
}

/** Nobody can guess it, and it is used once: what another answer calls does not count. */
function secretName(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return `t${[...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}
