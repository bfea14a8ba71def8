import type { Awaitable } from '../task/gatherer.js';

/** Waits for a promise; resolves to undefined, or to the exit code that ends the command before. */
export type Pause = (until: Promise<void>) => Promise<number | undefined>;

/** An answer; or, if it is late, the exit code that ends the command before it comes. */
export async function answered<T extends object>(answer: Awaitable<T>, pause: Pause): Promise<T | number> {
  if (!(answer instanceof Promise)) return answer;
  let come: T | undefined;
  const coming = answer.then((value) => {
    come = value;
  });
  // Who has been told to end hears of no failure.
  coming.catch(() => {});
  const exitCode = await pause(coming);
  return come ?? exitCode ?? answer;
}
