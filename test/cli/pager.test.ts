import { describe, expect, test } from 'vitest';
import { fits, pagerOf, showOnTerminal } from '../../src/cli/pager.js';
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
  ['', 80, 1, true],
  ['a\nb\n', 80, 3, true],
  ['a\nb\n', 80, 2, false],
  ['a\nb', 80, 3, true],
  [`${'x'.repeat(80)}\n`, 80, 2, true],
  [`${'x'.repeat(81)}\n`, 80, 2, false],
  [`\u001b[31m${'x'.repeat(80)}\u001b[39m\n`, 80, 2, true],
  [`${'日'.repeat(41)}\n`, 80, 2, false],
  ['\n\n', 80, 3, true],
  ['a\n', 0, 2, true],
])('whether %j and a prompt fit on %d columns and %d rows', (text, columns, rows, expected) => {
  expect(fits(text, columns, rows)).toBe(expected);
});

test('a less that is not installed is replaced by plain output', async () => {
  const terminal = new (class extends Terminal {
    output = '';
    override get rows() {
      return 1;
    }
    override write(text: string) {
      this.output += text;
    }
  })();
  await showOnTerminal('all\n', terminal, pagerOf({ PATH: '/nowhere' }, false));
  expect(terminal.output).toBe('all\n');
});
