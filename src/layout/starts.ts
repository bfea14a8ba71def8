/**
 * The file beside a task's stream that keeps the exact starts of processes: those that the stream records by the time of
 * day, in clock ticks since boot (`starttime` of proc(5)), which nobody can set. Pid and ticks identify a process as long
 * as the machine is up. The original reads only `runner` and `coordinator.PROCESS` in that directory. The file may be
 * missing or incomplete: for what is not in it, the recorded times count.
 */
export const STARTS = 'starts';

/** The file does not grow beyond this; a longer one is somebody else's. */
export const MOST_STARTS_BYTES = 4 * 1024 * 1024;

/** What the stream records about the start of a process, and when it was. */
export interface ExactStart {
  readonly pid: number;
  /** As it is in the stream: `fork_time` for a coordinator, `start_time` for a command. Undefined for a runner. */
  readonly time?: number;
  readonly ticks: number;
}

/** The first line of the file: the boot (/proc/sys/kernel/random/boot_id) of everything that follows. Pure. */
export function encodeBoot(boot_id: string): string {
  return `${JSON.stringify({ boot_id })}\n`;
}

/** The line of a start. Pure. */
export function encodeStart({ pid, time, ticks }: ExactStart): string {
  return `${JSON.stringify({ pid, time, ticks })}\n`;
}

/** The exact starts of the processes of a task. */
export class ExactStarts {
  /** False if they are of an earlier boot: none of the processes is alive. */
  readonly isOfThisBoot: boolean;
  readonly #starts = new Map<string, ExactStart>();

  constructor(isOfThisBoot = true) {
    this.isOfThisBoot = isOfThisBoot;
  }

  add(start: ExactStart): void {
    this.#starts.set(keyOf(start.pid, start.time), start);
  }

  /**
   * The start of the process that is recorded with this pid and time: in ticks since boot, or `earlier-boot`. Undefined
   * if only its time is known.
   */
  of(pid: number | undefined, time?: number): number | 'earlier-boot' | undefined {
    if (pid === undefined) return undefined;
    const start = this.#starts.get(keyOf(pid, time));
    return start !== undefined && !this.isOfThisBoot ? 'earlier-boot' : start?.ticks;
  }

  all(): ExactStart[] {
    return [...this.#starts.values()];
  }

  /** Forgets the others. */
  retain(isKept: (start: ExactStart) => boolean): void {
    for (const [key, start] of this.#starts) if (!isKept(start)) this.#starts.delete(key);
  }
}

/** The starts in a file, by this machine's boot. Lines that are not starts are left out. Pure; never throws. */
export function parseStarts(text: string, bootId: string | undefined): ExactStarts {
  const [first = '', ...lines] = text.split('\n');
  const boot = objectIn(first)?.boot_id;
  if (typeof boot !== 'string' || bootId === undefined) return new ExactStarts();
  const starts = new ExactStarts(boot === bootId);
  for (const line of lines) {
    const { pid, time, ticks } = objectIn(line) ?? {};
    if (!isCount(pid) || pid === 0 || !isCount(ticks)) continue;
    if (time === undefined || (typeof time === 'number' && time >= 0)) starts.add({ pid, time, ticks });
  }
  return starts;
}

function keyOf(pid: number, time: number | undefined): string {
  return time === undefined ? String(pid) : `${pid} ${time}`;
}

/** A line that was cut short is none. */
function objectIn(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
