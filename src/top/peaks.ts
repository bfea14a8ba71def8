import type { RecordedUse } from './recorded.js';

/** The most that was used in a span of time. What is not known is undefined. */
export interface Peak extends RecordedUse {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Spans begin with this length. */
const FIRST_STEP_MS = 1000;

/**
 * A line of at most `most` points, of any number of samples in any order: when there are too many points, each two
 * that are side by side become one, with the most of both. So no peak is lost. A gap that is shorter than a step may
 * be lost.
 */
export class Peaks {
  readonly #most: number;
  #stepMs = FIRST_STEP_MS;
  /** By the number of the step in which they end. */
  #points = new Map<number, Peak>();

  constructor(most: number) {
    this.#most = most;
  }

  /** The length of the span that one point may stand for. */
  get stepMs(): number {
    return this.#stepMs;
  }

  add(peak: Peak): void {
    this.#put(this.#points, peak);
    while (this.#points.size > this.#most) this.#halve();
  }

  /** In the order of time. */
  points(): Peak[] {
    return [...this.#points].sort(([a], [b]) => a - b).map(([, point]) => point);
  }

  #put(points: Map<number, Peak>, peak: Peak): void {
    const step = Math.floor(peak.toMs / this.#stepMs);
    const other = points.get(step);
    points.set(step, other === undefined ? peak : both(other, peak));
  }

  #halve(): void {
    this.#stepMs *= 2;
    const points = new Map<number, Peak>();
    for (const peak of this.#points.values()) this.#put(points, peak);
    this.#points = points;
  }
}

function both(a: Peak, b: Peak): Peak {
  return { fromMs: Math.min(a.fromMs, b.fromMs), toMs: Math.max(a.toMs, b.toMs), ...mostOf(a, b) };
}

/** The greater of each number, or the one that is known. */
export function mostOf(a: RecordedUse, b: RecordedUse): RecordedUse {
  return {
    cpu: most(a.cpu, b.cpu),
    rssBytes: most(a.rssBytes, b.rssBytes),
    diskBytes: most(a.diskBytes, b.diskBytes),
  };
}

function most(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined ? b : b === undefined ? a : Math.max(a, b);
}
