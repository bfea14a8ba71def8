import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { widthOf } from '../../../src/text/width.js';
import { type Cell, type Column, table, tableLines } from '../../../src/views/parts/table.js';

const COLUMNS: Column[] = [
  { title: 'TASK', flexible: 'end' },
  { title: 'RUNS', align: 'right' },
  { title: 'STATE' },
];

describe('table', () => {
  test('aligns, with two spaces between columns and nothing behind the last', () => {
    const rows = [
      ['hello-1', '1', 'SUCCESS'],
      ['a', '12345', 'LOST'],
    ];
    expect(table(COLUMNS, rows)).toBe(
      ['TASK      RUNS  STATE', 'hello-1      1  SUCCESS', 'a        12345  LOST', ''].join('\n'),
    );
  });

  test('no rows: the titles alone; no titles: the rows alone', () => {
    expect(table(COLUMNS, [])).toBe('TASK  RUNS  STATE\n');
    expect(table(COLUMNS, [['a', '1', 'LOST']], { titles: false })).toBe('a  1  LOST\n');
    expect(table(COLUMNS, [], { titles: false })).toBe('');
  });

  test('an empty or missing cell is a dash', () => {
    expect(table(COLUMNS, [['', undefined]], { titles: false })).toBe('-  -  -\n');
  });

  test('escapes what it is given, and shows blanks at the end', () => {
    expect(table([{ title: 'A' }, { title: 'B' }], [['\u001b[31mx\n', ' ']], { titles: false })).toBe(
      "\\e[31mx\\n  ' '\n",
    );
  });

  test('wide, combining and emoji characters keep the columns aligned', () => {
    const names = ['日本語', 'e\u0301te\u0301', '👩🏽', 'plain'];
    const lines = table(
      [{ title: 'NAME' }, { title: 'END' }],
      names.map((name) => [name, '|']),
    ).split('\n');
    const offsets = lines.slice(1, -1).map((line) => widthOf(line.slice(0, line.indexOf('|'))));
    expect(offsets).toEqual([8, 8, 8, 8]);
  });

  test('paints the text and not the padding', () => {
    const red = (text: string) => `<${text}>`;
    const cell: Cell = { text: 'ab', paint: red };
    expect(table([{ title: 'STATE' }, { title: 'X' }], [[cell, 'y']], { titles: red })).toBe(
      '<STATE>  <X>\n<ab>     y\n',
    );
  });

  test('on a terminal the flexible column gives way, and only as far as needed', () => {
    const rows = [['www-data-prod-web-0-b97dd6f9', '3', 'RUNNING']];
    expect(table(COLUMNS, rows, { width: 30 })).toBe(
      ['TASK             RUNS  STATE', 'www-data-prod-…     3  RUNNING', ''].join('\n'),
    );
    expect(table(COLUMNS, rows, { width: 30, unicode: false }).split('\n')[1]).toBe(
      'www-data-pro...     3  RUNNING',
    );
    const middle: Column[] = [{ title: 'TASK', flexible: 'middle' }];
    expect(table(middle, rows, { width: 15, titles: false })).toBe('www-dat…97dd6f9\n');
  });

  test('a terminal too narrow for all of it still shows all other columns whole', () => {
    const lines = table(COLUMNS, [['www-data-prod-web-0', '3', 'RUNNING']], { width: 5 }).split('\n');
    expect(lines[1]).toBe('www-dat…     3  RUNNING');
  });

  test('without a width nothing is cut', () => {
    const id = 'x'.repeat(5000);
    expect(table(COLUMNS, [[id, '1', 'LOST']])).toContain(`${id}     1  LOST\n`);
  });

  test('on a terminal a column that wraps shows all of it, the others one line', () => {
    const columns: Column[] = [
      { title: 'TASK', flexible: 'middle' },
      { title: 'WHY', flexible: 'wrap' },
    ];
    const rows: Cell[][] = [
      [
        'www-data-prod-web-0-b97dd6f9',
        'its runner lives; see /var/run/thermos/checkpoints/www-data-prod-web-0',
      ],
      ['a', 'it is active'],
    ];
    expect(table(columns, rows, { width: 40 })).toBe(
      [
        'TASK                 WHY',
        'www-data-…-b97dd6f9  its runner lives;',
        '                     see',
        '                     /var/run/thermos/ch',
        '                     eckpoints/www-data-',
        '                     prod-web-0',
        'a                    it is active',
        '',
      ].join('\n'),
    );
  });

  test('words whose characters are of another width together than alone are whole, beside a column that wraps', () => {
    const columns: Column[] = [
      { title: 'NAME', flexible: 'middle' },
      { title: 'COMMAND', flexible: 'wrap' },
    ];
    const names = ['x\u2e80\u{11000}', '\u0915\u093e\u092e', '\u{1f469}\u{1f3fd}', '\u{1f1e9}\u{1f1ea}', 'a'];
    const rows = names.map((name) => [
      name,
      { text: `${name} ${name}`, paint: (text: string) => `\u001b[1m${text}\u001b[22m` },
    ]);
    const bold = (text: string) => `\u001b[1m${text}\u001b[22m`;
    for (const width of [20, 2000]) {
      const { body } = tableLines(columns, rows, { width });
      expect(body.map((line) => line.replace(/ +/g, ' '))).toEqual(
        names.map((name) => `${name} ${bold(`${name} ${name}`)}`),
      );
    }
  });

  test('a line that wraps keeps its indentation, colours and what is on it', () => {
    const columns: Column[] = [{ title: 'A' }, { title: 'B', flexible: 'wrap' }];
    const red = (text: string) => `\u001b[31m${text}\u001b[39m`;
    const rows: Cell[][] = [
      ['a', 'if true; then'],
      [null, '    echo  one two three'],
      [null, null],
      ['b', { text: 'four five six seven', paint: red }],
      ['日本語', '日本語日本語日本語 日本語'],
    ];
    expect(table(columns, rows, { width: 21, titles: false })).toBe(
      [
        'a       if true; then',
        '            echo  one',
        '        two three',
        '',
        `b       ${red('four five six')}`,
        `        ${red('seven')}`,
        '日本語  日本語日本語',
        '        日本語 日本語',
        '',
      ].join('\n'),
    );
  });

  test('a table of very many rows, or of very much text, is cut instead, or whole', () => {
    const columns: Column[] = [{ title: 'A' }, { title: 'B', flexible: 'wrap' }];
    const rows = Array.from({ length: 201 }, (_, i) => [String(i), 'one two three four five']);
    const lines = (given: Cell[][], whole = false) => table(columns, given, { width: 20, whole }).split('\n');
    expect(lines(rows)[1]).toBe('0    one two three …');
    expect(lines(rows, true)[1]).toBe('0    one two three four five');
    expect(lines(rows.slice(1))[1]).toBe('1    one two three');
    expect(lines([['0', 'x'.repeat(40_000)]])[1]).toBe(`0  ${'x'.repeat(16)}…`);
    expect(lines([['0', 'x'.repeat(40_000)]], true)[1]).toBe(`0  ${'x'.repeat(40_000)}`);
  });

  test('on a terminal a column that does not give way is never cut', () => {
    const path = `/${'x'.repeat(400)}`;
    const rows = [[path, '1']];
    expect(table([{ title: 'PATH' }, { title: 'N' }], rows, { width: 80, titles: false })).toBe(
      `${path}  1\n`,
    );
  });

  test('whatever the cells hold, each row is one line of the width asked for', () => {
    // Characters that all versions of string-width measure alike: the program has one for all, its sources have not.
    const units = ['a', ' ', '日', 'e\u0301', '\u0301', '😀', '\u001b', '\n', '\u{e000}', '\u200b', '…'];
    const cell = fc.string({ unit: fc.constantFrom(...units) });
    fc.assert(
      fc.property(fc.array(fc.tuple(cell, cell)), fc.integer({ min: 24, max: 60 }), (rows, width) => {
        const columns: Column[] = [
          { title: 'A', flexible: 'end' },
          { title: 'B', flexible: 'middle' },
        ];
        const lines = table(columns, rows, { width }).split('\n');
        expect(lines).toHaveLength(rows.length + 2);
        for (const line of lines) {
          expect(widthOf(line)).toBeLessThanOrEqual(width);
          expect(line).toBe(line.trimEnd());
        }
      }),
    );
  });
});

describe('columns that may be dropped', () => {
  const columns: Column[] = [
    { title: 'ID', flexible: 'middle', short: (ids) => ids.map((id) => id.replace(/-.*/, '')) },
    { title: 'FIRST', dropped: 1 },
    { title: 'KEPT' },
    { title: 'THIRD', dropped: 3 },
    { title: 'SECOND', dropped: 2, flexible: 'end' },
  ];
  const rows = [
    ['short-0123456789', 'a', 'b', 'c', 'ddd'],
    ['x', 'a', 'b', 'c', 'd'],
  ];
  const titlesAt = (width: number, uncut = false) => tableLines(columns, rows, { width, uncut }).titles;
  const idAt = (width: number, uncut = false) =>
    tableLines(columns, rows, { width, uncut }).body[0]?.split(' ')[0];

  test('go one by one in their order, before a cell is shortened', () => {
    expect([44, 43, 37, 36, 29, 28, 22].map((width) => [width, titlesAt(width), idAt(width)])).toEqual([
      [44, 'ID                FIRST  KEPT  THIRD  SECOND', 'short-0123456789'],
      [43, 'ID                KEPT  THIRD  SECOND', 'short-0123456789'],
      [37, 'ID                KEPT  THIRD  SECOND', 'short-0123456789'],
      [36, 'ID                KEPT  THIRD', 'short-0123456789'],
      [29, 'ID                KEPT  THIRD', 'short-0123456789'],
      [28, 'ID                KEPT', 'short-0123456789'],
      [22, 'ID                KEPT', 'short-0123456789'],
    ]);
  });

  test('come back when cells are shortened, as far as there is room', () => {
    expect([21, 19, 17].map((width) => [titlesAt(width), idAt(width)])).toEqual([
      ['ID     KEPT  THIRD', 'short'],
      ['ID     KEPT  THIRD', 'short'],
      ['ID     KEPT', 'short'],
    ]);
  });

  test('go alone if nothing may be cut', () => {
    expect([titlesAt(20, true), idAt(20, true)]).toEqual(['ID                KEPT', 'short-0123456789']);
    expect(titlesAt(44, true)).toBe(titlesAt(44));
  });

  test('all stay on a pipe', () => {
    expect(tableLines(columns, rows).titles).toBe('ID                FIRST  KEPT  THIRD  SECOND');
  });

  test('go in order at any width, and rows fit while different ids stay different', () => {
    const id = fc.string({ unit: fc.constantFrom('a', 'b', '-', '日'), minLength: 1, maxLength: 60 });
    const cell = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 12 });
    const row = fc.tuple(id, cell, cell, cell, cell);
    const properly: Column[] = columns.map((column) => ({ ...column, short: undefined }));
    fc.assert(
      fc.property(fc.array(row, { maxLength: 30 }), fc.integer({ min: 40, max: 120 }), (given, width) => {
        const { titles, body } = tableLines(properly, given, { width });
        const shown = (titles ?? '').split(/ +/);
        const dropped = ['FIRST', 'SECOND', 'THIRD'].filter((title) => !shown.includes(title));
        expect(dropped).toEqual(['FIRST', 'SECOND', 'THIRD'].slice(0, dropped.length));
        for (const [i, line] of body.entries()) {
          // An id that no part tells from all others is whole.
          if (line.split(' ')[0] !== given[i]?.[0]) expect(widthOf(line)).toBeLessThanOrEqual(width);
        }
        const ids = new Set(given.map(([first]) => first));
        expect(new Set(body.map((line) => line.split(' ')[0])).size).toBe(ids.size);
      }),
    );
  });
});
