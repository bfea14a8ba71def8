import { EXIT } from '../errors/exit-codes.js';
import type { Problem } from '../errors/problem.js';
import type { Awaitable } from '../task/gatherer.js';
import { visible } from '../text/escape.js';
import { Interruption } from './interruption.js';
import type { Terminal } from './terminal.js';

export interface Frame {
  text: string;
  /** Written to stderr, like the problems. */
  notice?: string;
  problems: readonly Problem[];
}

/**
 * Writes frames until a signal, each if it differs from the one before. Resolves to the exit code of the signal.
 * Rejects with what `draw` throws. For pipes and files; people see `watchList`.
 */
export async function watchFrames(
  terminal: Terminal,
  intervalMs: number,
  draw: () => Awaitable<Frame>,
): Promise<number> {
  const interruption = new Interruption();
  interruption.listen();
  let last: Frame | undefined;
  const look = async (): Promise<void> => {
    const frame = await draw();
    if (last !== undefined && (frame === last || isSame(frame, last))) return;
    last = frame;
    terminal.write(frame.text);
    terminal.writeError(footer(frame));
  };
  try {
    for (;;) {
      const exitCode = (await interruption.wait(look())) ?? (await pause(interruption, intervalMs));
      if (exitCode !== undefined) return exitCode;
      // If nothing changes, no write shows that the output is closed.
      if (terminal.isClosed()) return EXIT.ok;
    }
  } finally {
    interruption.close();
  }
}

/** Resolves to the exit code of a signal, or to undefined after a number of milliseconds. */
export async function pause(interruption: Interruption, milliseconds: number): Promise<number | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds);
  });
  try {
    return await interruption.wait(over);
  } finally {
    clearTimeout(timer);
  }
}

function isSame(a: Frame, b: Frame): boolean {
  return a.text === b.text && footer(a) === footer(b);
}

function footer({ notice, problems }: Frame): string {
  return notesOf(problems, notice)
    .map((line) => `${visible(line)}\n`)
    .join('');
}

/** The lines besides the tasks; not escaped. */
export function notesOf(problems: readonly Problem[], notice: string | undefined): string[] {
  const lines = problems.map(({ severity, message }) => `${severity}: ${message}`);
  return notice === undefined ? lines : [notice, ...lines];
}
