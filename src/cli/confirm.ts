import { createInterface } from 'node:readline/promises';

/** Asks on stderr; what does not begin with `y`, and the end of the input, is no. */
export async function confirm(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const closed = new Promise<string>((resolve) => terminal.once('close', () => resolve('')));
  try {
    const answer = await Promise.race([terminal.question(question), closed]);
    return /^y/i.test(answer.trim());
  } finally {
    terminal.close();
  }
}
