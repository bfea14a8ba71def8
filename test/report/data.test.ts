import { createContext, runInContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { reportScript } from '../../src/report/data.js';
import { failedTask, report } from './reports.js';

let given: unknown;
const page = createContext({
  thermosReport: (value: unknown) => {
    given = JSON.stringify(value);
  },
});

/** What a page that loads the script is given. */
function loaded(script: string): unknown {
  runInContext(script, page);
  return JSON.parse(given as string);
}

describe('the script of a report', () => {
  it('gives the report to the function thermosReport', () => {
    expect(loaded(reportScript(report()))).toEqual(JSON.parse(JSON.stringify(report())));
  });

  it('gives the same report whatever strings and names are in it, and is ASCII without <', () => {
    const nasty = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        '</script>',
        '<!--',
        '\u2028',
        '\u2029',
        '__proto__',
        '"__proto__":',
        '\\"__proto__":',
        '\ud800',
      ),
    );
    fc.assert(
      fc.property(nasty, nasty, (name, key) => {
        const history: ReturnType<typeof failedTask>['history'] = Object.create(null);
        history[key] = [{ process: name }];
        history['__proto__'.toString()] = [{ process: key }];
        const given = report({ task: failedTask({ name, history, why: [key, name] }) });
        const script = reportScript(given);
        expect(script).not.toMatch(/<|[^\n -~]/);
        expect(JSON.stringify(loaded(script))).toBe(JSON.stringify(JSON.parse(JSON.stringify(given))));
      }),
      { numRuns: 30 },
    );
  });
});
