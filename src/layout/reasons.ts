/**
 * The file beside a task's stream that keeps what the stream has no room for: why a process could not be started, who
 * ended the task. The original reads only `runner` and `coordinator.PROCESS` there. It may be missing, and anybody who may
 * write to the task's files may have written it: it is only shown.
 */
export const REASONS = 'reasons';

/** The file does not grow beyond this. */
export const MOST_REASONS_BYTES = 64 * 1024;
/** Longer texts are cut. */
const LONGEST_TEXT = 1000;

/** Something that one of the programs that ran or ended a task knew when it happened. */
export interface Reason {
  /** Milliseconds since the epoch. */
  readonly time_ms: number;
  /** A problem code; from disk, it may be anything. */
  readonly code: string;
  readonly message: string;
  readonly process?: string;
  readonly run?: number;
  /** The user who asked for it. */
  readonly by?: string;
}

/** The line of a reason. Pure. */
export function encodeReason({ time_ms, code, message, process, run, by }: Reason): string {
  const line = { time_ms, code, process, run, by: by && cut(by), message: cut(message) };
  return `${JSON.stringify(line)}\n`;
}

/** The reasons in a file, in order. Lines that are not reasons are left out. Pure; never throws. */
export function parseReasons(text: string): Reason[] {
  return text.split('\n').flatMap((line) => {
    const reason = parseReason(line);
    return reason === undefined ? [] : [reason];
  });
}

function parseReason(line: string): Reason | undefined {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof json !== 'object' || json === null) return undefined;
  const { time_ms, code, message, process, run, by } = json as Record<string, unknown>;
  if (typeof code !== 'string' || typeof message !== 'string' || !isCount(time_ms)) return undefined;
  return {
    time_ms,
    code: cut(code),
    message: cut(message),
    ...(typeof process === 'string' && { process }),
    ...(isCount(run) && { run }),
    ...(typeof by === 'string' && { by: cut(by) }),
  };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function cut(text: string): string {
  return text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}…` : text;
}
