import { close, url } from 'node:inspector';

/**
 * Node opens its debugger, a port that obeys everybody on the machine, when it gets SIGUSR1; but for us that
 * is the request to kill a task. From here on it never does. One that was opened before, while Node started, is
 * closed again; then this returns true: somebody has sent the signal already.
 */
export function closeDebugger(): boolean {
  process.on('SIGUSR1', () => {});
  const asked = [...process.execArgv, process.env.NODE_OPTIONS ?? ''].some((word) => /--inspect/.test(word));
  if (asked || url() === undefined) return false;
  close();
  return true;
}

/**
 * For Node's command line: until the program it starts has said otherwise, SIGUSR1 still makes it open its debugger.
 * Then it finds an address that no machine has.
 */
export const NO_DEBUGGER = '--inspect-port=0.0.0.1:1024';
