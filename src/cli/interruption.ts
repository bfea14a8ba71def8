import { EXIT } from '../errors/exit-codes.js';

/**
 * Waits for the promise, but not longer than until SIGINT or SIGTERM: then resolves to the exit code for that.
 * Only while it waits are the signals caught, so that a write to a pipe that nobody empties can still be
 * interrupted, by the kernel.
 */
export async function untilInterrupted(promise: Promise<void>): Promise<number | undefined> {
  let onInterrupt = () => {};
  let onTerminate = () => {};
  const signalled = new Promise<number>((resolve) => {
    onInterrupt = () => resolve(EXIT.interrupted);
    onTerminate = () => resolve(EXIT.terminated);
  });
  process.once('SIGINT', onInterrupt);
  process.once('SIGTERM', onTerminate);
  try {
    return (await Promise.race([promise, signalled])) as number | undefined;
  } finally {
    process.off('SIGINT', onInterrupt);
    process.off('SIGTERM', onTerminate);
  }
}
