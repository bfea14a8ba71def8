/** How often, and how many times, a debugger is looked for that Node was asked for before it was told not to. */
const LATE = { everyMs: 20, times: 50 };

/**
 * Node opens its debugger, a port that obeys everybody on the machine, when it gets SIGUSR1; but for us that is the
 * request to kill a task. To be called first of all by every program: from then on the signal does nothing until
 * somebody listens to it. A debugger that was opened before, while Node started, is closed again, and whoever
 * listens by then gets the signal that it was opened by.
 */
export function refuseDebugger(): void {
  process.on('SIGUSR1', () => {});
  if ([...process.execArgv, process.env.NODE_OPTIONS ?? ''].some((word) => /--inspect/.test(word))) return;
  // Node opens it when it comes to it, again for each signal. Only who lives long enough has to know how to close it.
  let left = LATE.times;
  const timer = setInterval(async () => {
    if (--left === 0) clearInterval(timer);
    const { close, url } = await import('node:inspector');
    if (url() === undefined) return;
    close();
    process.kill(process.pid, 'SIGUSR1');
  }, LATE.everyMs);
  timer.unref();
}

/**
 * For Node's command line: until the program it starts has said otherwise, SIGUSR1 still makes it open its debugger.
 * Then it finds an address that no machine has.
 */
export const NO_DEBUGGER = '--inspect-port=0.0.0.1:1024';
