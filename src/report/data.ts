import { asciiJson } from '../text/json.js';
import type { TaskReport } from './model.js';

/** The function that is called with the data of a report, when it is loaded as a script. */
export const CALLBACK = 'thermosReport';

/**
 * The data of a report as a script, which a page can load from any server. It is inert in HTML, too. A key `__proto__`
 * is written so that it is a key: in an object of JavaScript it would be its prototype.
 */
export function reportScript(report: TaskReport): string {
  const json = asciiJson(report).replaceAll('<', '\\u003c').replaceAll('"__proto__":', '["__proto__"]:');
  return `${CALLBACK}(${json});\n`;
}
