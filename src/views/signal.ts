import type { SignalDocument } from '../contracts/run.js';
import { visible } from '../text/escape.js';

/** `SIGHUP -> web (pid 123, run 0)`. */
export function signalText({ signal, process, pid, run, signalled }: SignalDocument): string {
  const others = signalled.length - 1;
  const more = others > 0 ? ` and ${others} more ${others === 1 ? 'process' : 'processes'} of it` : '';
  return `${signal} -> ${visible(process)} (pid ${pid}, run ${run})${more}\n`;
}
