/** How often, and how many times, to check for a debugger that was requested before we refused it. */
const LATE = { everyMs: 20, times: 50 };

/**
 * On SIGUSR1, which for us is the request to kill a task, Node opens its debugger, a port that accepts commands from
 * every user of the machine. Every program must call this first: afterwards the signal does nothing until there is a
 * listener. A debugger that was opened earlier, while Node started, is closed, and its signal is sent again to the
 * listeners that exist by then.
 */
export function refuseDebugger(): void {
  process.on('SIGUSR1', () => {});
  if ([...process.execArgv, process.env.NODE_OPTIONS ?? ''].some((word) => /--inspect/.test(word))) return;
  // Node opens it some time later, and again for each signal. Loads the module only in programs that live that long.
  let left = LATE.times;
  const timer = setInterval(() => {
    if (--left === 0) clearInterval(timer);
    const { close, url } = process.getBuiltinModule('node:inspector');
    if (url() === undefined) return;
    close();
    process.kill(process.pid, 'SIGUSR1');
  }, LATE.everyMs);
  timer.unref();
}

/**
 * For Node's command line: until the program calls `refuseDebugger`, SIGUSR1 still makes Node open its debugger. With
 * this, it tries an address that no machine has.
 */
export const NO_DEBUGGER = '--inspect-port=0.0.0.1:1024';
