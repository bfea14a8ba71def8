import type { RestartDocument } from '../contracts/run.js';
import { visible } from '../text/escape.js';
import { paintOf } from './parts/paint.js';
import type { Style } from './parts/style.js';

/** `web: run 0 (pid 1) ended, run 1 is running (pid 2)`. */
export function restartText({ process, was, ended, now }: RestartDocument, { paint }: Style): string {
  const how = ended === 'killed' ? 'did not end in time and was killed' : 'ended';
  return `${visible(process)}: run ${was.run} (pid ${was.pid}) ${how}, ${nextText(now, was.run + 1, paint)}\n`;
}

function nextText(now: RestartDocument['now'], next: number, paint: Style['paint']): string {
  if (now === undefined) return `its runner starts run ${next}`;
  const { run, state, pid } = now;
  const who = pid === undefined ? '' : ` (pid ${pid})`;
  if (state === 'RUNNING') return `run ${run} is running${who}`;
  const word = String(state);
  return `run ${run}${who} is already ${paintOf(paint, word)(word)}`;
}
