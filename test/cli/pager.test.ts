import { describe, expect, test } from 'vitest';
import { pagerOf, showOnTerminal } from '../../src/cli/pager.js';
import { Terminal } from '../../src/cli/terminal.js';

describe('the pager', () => {
  test.each([
    [{}, undefined],
    [{ PAGER: 'more' }, 'more'],
    [{ PAGER: 'more', THERMOS_PAGER: 'less -S | cat' }, 'less -S | cat'],
  ])('of %j is run by a shell as it is written; without one, it is less', (env, line) => {
    expect(pagerOf(env, false)?.line).toBe(line);
  });

  test.each([
    { THERMOS_PAGER: '' },
    { THERMOS_PAGER: '', PAGER: 'more' },
    { THERMOS_PAGER: 'cat', PAGER: 'more' },
    { PAGER: ' cat ' },
    { PAGER: '' },
  ])('of %j is none', (env) => {
    expect(pagerOf(env, false)).toBeUndefined();
  });

  test('gets the options of git unless the user has others', () => {
    expect(pagerOf({ TERM: 'xterm' }, false)?.env).toEqual({ TERM: 'xterm', LESS: 'FRX', LV: '-c' });
    expect(pagerOf({ LESS: '-i', LV: '' }, false)?.env).toEqual({ LESS: '-i', LV: '' });
  });

  test('of root starts no program unless root says so', () => {
    expect(pagerOf({}, true)?.env.LESSSECURE).toBe('1');
    expect(pagerOf({ LESSSECURE: '' }, true)?.env.LESSSECURE).toBe('');
  });
});

test.each([
  ['a\nb\n', 3, false],
  ['a\nb\n', 2, true],
  [`${'x'.repeat(81)}\n`, 2, true],
  ['', 1, false],
])('is asked if the text %j and a prompt do not fit on %d rows', async (text, rows, isAsked) => {
  const terminal = terminalOf(rows);
  await showOnTerminal(text, terminal, { line: 'cat >/dev/null', env: process.env });
  expect(terminal.output).toBe(isAsked ? '' : text);
});

test('a less that is not installed is replaced by plain output', async () => {
  const terminal = terminalOf(1);
  await showOnTerminal('all\n', terminal, pagerOf({ PATH: '/nowhere' }, false));
  expect(terminal.output).toBe('all\n');
});

/** A terminal of 80 columns, and what is written to it. */
function terminalOf(rows: number) {
  return new (class extends Terminal {
    output = '';
    override get rows() {
      return rows;
    }
    override write(text: string) {
      this.output += text;
    }
  })();
}
