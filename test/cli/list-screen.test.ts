import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Key } from '../../src/cli/keys.js';
import {
  type DrawingOptions,
  drawnList,
  FIRST_STATE,
  type ListContent,
  type ListExtent,
  type ListState,
  pressed,
  type ScreenSize,
  within,
} from '../../src/cli/list-screen.js';
import { colouredPalette } from '../../src/cli/palette.js';
import { paintedWidth } from '../../src/text/width.js';
import { PLAIN } from '../../src/views/parts/paint.js';

const OPTIONS: DrawingOptions = {
  paint: PLAIN,
  unicode: true,
  keys: true,
  order: 'age',
  time: '02:06:23',
};

const content = (count: number, extra: Partial<ListContent> = {}): ListContent => ({
  summary: [`${count} things`],
  titles: 'THING',
  lines: Array.from({ length: count }, (_, i) => `thing ${i}`),
  notes: [],
  ...extra,
});

const extentOf = (shown: ListContent, size: ScreenSize, state: ListState = FIRST_STATE): ListExtent => ({
  lines: shown.lines.length,
  room: drawnList(shown, state, size, OPTIONS).room,
  width: shown.lines.reduce((widest, line) => Math.max(widest, paintedWidth(line)), 0),
  columns: size.columns,
  orders: 3,
});

const key = (name: string) => ({ name }) as Key;

/** The state after keys: names, or text in quotes. */
function pressing(keys: readonly (Key | string)[], shown = content(100), size = { columns: 40, rows: 12 }) {
  let state = FIRST_STATE;
  const actions: string[] = [];
  for (const each of keys) {
    const next = pressed(
      state,
      typeof each === 'string' ? { text: each } : each,
      extentOf(shown, size, state),
    );
    state = next.state;
    if (next.action !== undefined) actions.push(String(next.action));
  }
  return { state, actions, lines: drawnList(shown, state, size, OPTIONS).lines };
}

test('a screen', () => {
  expect(pressing([key('down')]).lines).toEqual([
    '100 things',
    '',
    'THING',
    'thing 1',
    'thing 2',
    'thing 3',
    'thing 4',
    'thing 5',
    'thing 6',
    'thing 7',
    '92 more, 1 above',
    'q quit  / filter  s sort: age  r reverse',
  ]);
  expect(
    drawnList(content(2, { notes: ['a\tb'] }), FIRST_STATE, { columns: 30, rows: 8 }, OPTIONS).lines,
  ).toEqual(['2 things', 'THING', 'thing 0', 'thing 1', '', '', 'a\\tb', 'q quit  / filter  s sort: age']);
});

test('notes that are too many, and a screen without keys', () => {
  const notes = Array.from({ length: 9 }, (_, i) => `note ${i}`);
  const { lines } = drawnList(
    content(1, { notes }),
    FIRST_STATE,
    { columns: 40, rows: 12 },
    { ...OPTIONS, keys: false },
  );
  expect(lines.slice(-4)).toEqual([
    'note 0',
    'note 1',
    '7 more lines',
    `Ctrl-C quit${' '.repeat(21)}02:06:23`,
  ]);
});

test.each([
  [0, '8 more lines'],
  [1, '7 more lines, 1 line above'],
  [7, '1 more line, 7 lines above'],
])('says how many lines are not shown, when %i are above', (top, expected) => {
  const shown = { ...content(12), unit: 'line' };
  const { lines } = drawnList(shown, { ...FIRST_STATE, top }, { columns: 40, rows: 8 }, OPTIONS);
  expect(lines).toContain(expected);
});

describe('what comes above the lines that are shown', () => {
  const named = (names: readonly string[]) => ({ ...content(names.length), names });
  const before = Array.from({ length: 40 }, (_, i) => `task ${i}`);
  const SIZE = { columns: 40, rows: 12 };
  const extent = (names: readonly string[]) => ({ ...extentOf(named(names), SIZE), names });

  test.each([
    ['moves nothing if the user has scrolled', 10, ['new 1', 'new 2', ...before], 12],
    ['nor does what goes', 10, before.slice(4), 6],
    ['is shown if the first line is', 0, ['new 1', ...before], 0],
    ['what goes itself leaves the place', 10, before.filter((name) => name !== 'task 10'), 9],
    [
      'what sorts last now takes nothing with it',
      10,
      [...before.filter((name) => name !== 'task 10'), 'task 10'],
      9,
    ],
    [
      'what sorts first now takes nothing with it',
      10,
      ['task 10', ...before.filter((name) => name !== 'task 10')],
      10,
    ],
    ['nor does a list of others', 10, before.map((name) => `other ${name}`), 10],
  ])('%s', (_, down, after, top) => {
    let state = FIRST_STATE;
    for (let i = 0; i < down; i++) state = pressed(state, key('down'), extent(before)).state;
    expect(within(state, extent(after)).top).toBe(top);
  });

  test('a list in another order, or with another filter, begins at its start', () => {
    for (const text of ['s', 'r', '/x']) {
      const { state } = pressed(
        pressed(FIRST_STATE, key('page-down'), extent(before)).state,
        { text },
        extent(before),
      );
      expect([text, within(state, extent(before)).top]).toEqual([text, 0]);
    }
  });
});

describe('keys', () => {
  test.each<[string, (Key | string)[], Partial<ListState>]>([
    ['down', [key('down'), 'jj'], { top: 3 }],
    ['not above the first line', [key('down'), key('page-up')], { top: 0 }],
    ['pages', [key('page-down'), ' '], { top: 12 }],
    ['the end, and not beyond it', [key('end'), key('down')], { top: 93 }],
    ['the start', ['G', 'g'], { top: 0 }],
    ['three lines of the wheel', [key('wheel-down'), key('wheel-down'), key('wheel-up')], { top: 3 }],
    ['orders', ['ss'], { order: 2 }],
    ['orders, around', ['sss'], { order: 0 }],
    ['the reverse order from its start', [key('end'), 'r'], { reverse: true, top: 0 }],
    ['the reverse order, where r is another letter', ['R'], { reverse: true }],
    ['nothing that could follow an end', ['f'], { follows: false }],
    ['to the side no further than there is text', [key('right')], { left: 0 }],
    ['a filter', ['/ab', key('enter')], { filter: 'ab', typing: undefined }],
    ['a filter in which q is a letter', ['/q q', key('backspace')], { filter: 'q ', typing: '' }],
    [
      'a filter that is left as it was',
      ['/a', key('enter'), '/b', key('escape')],
      { filter: 'a', typing: undefined },
    ],
    ['no filter', ['/a', key('enter'), key('escape')], { filter: '', typing: undefined }],
    ['a word less', ['/ab cd', key('delete-word')], { filter: 'ab ', typing: '' }],
    ['nothing', ['/ab cd', key('delete-line')], { filter: '', typing: '' }],
    ['half of no character', ['/a😀', key('backspace')], { filter: 'a', typing: '' }],
    ['what is pasted into the filter', ['/', { text: 'q', pasted: true }], { filter: 'q', typing: '' }],
    ['nothing else that is pasted', [{ text: 'r/x', pasted: true }], { reverse: false, typing: undefined }],
    ['unknown letters', ['xyz'], {}],
  ])('%s', (_, keys, expected) => {
    const { isChosen: _isChosen, ...first } = FIRST_STATE;
    expect(pressing(keys)).toMatchObject({ state: { ...first, ...expected }, actions: [] });
  });

  test.each<[Key | string, string]>([
    ['q', 'quit'],
    [key('enter'), 'enter'],
    [key('interrupt'), 'interrupt'],
    [key('suspend'), 'suspend'],
    [key('abort'), 'abort'],
    [key('redraw'), 'redraw'],
  ])('%j asks for %s, also with a filter', (pressedKey, action) => {
    expect(pressing(['/a', key('enter'), pressedKey]).actions).toEqual([action]);
  });

  test('what grows is followed from its end, until one moves away from it', () => {
    const size = { columns: 60, rows: 12 };
    const options = { ...OPTIONS, hasEnd: true, order: undefined };
    let state: ListState = { ...FIRST_STATE, follows: true };
    const press = (name: string, count: number) => {
      const shown = content(count);
      const { room } = drawnList(shown, state, size, options);
      const extent = { ...extentOf(shown, size), room, hasEnd: true };
      state = pressed(state, name.length === 1 ? { text: name } : key(name), extent).state;
      return [state.follows, state.top];
    };
    expect(press('x', 100)).toEqual([true, 93]);
    expect(press('x', 200)).toEqual([true, 193]);
    expect(drawnList(content(200), state, size, options).lines.at(-1)).toMatch(
      /^q quit {2}\/ filter {2}f follow: on/,
    );
    expect(press('wheel-up', 200)).toEqual([false, 190]);
    expect(press('x', 300)).toEqual([false, 190]);
    expect(press('f', 300)).toEqual([true, 293]);
    expect(press('f', 400)).toEqual([false, 293]);
    expect(press('end', 400)).toEqual([true, 393]);
    // A filter is no step away.
    expect(press('/', 400)[0]).toBe(true);
  });

  test('a list below another one, whose lines can be opened', () => {
    const options = { ...OPTIONS, isInner: true, canEnter: true, hints: ['? keys', 'w why'] };
    const last = (columns: number) =>
      drawnList(content(3), FIRST_STATE, { columns, rows: 6 }, options).lines.at(-1);
    expect(last(70)).toBe('Esc back  q quit  Enter open  / filter  s sort: age  ? keys  w why');
    // The time goes before the arrows.
    expect(last(80)).toBe('Esc back  q quit  Enter open  / filter  s sort: age  ? keys  w why      02:06:23');
    expect(last(100)).toMatch(/w why {2}↑↓ PgUp PgDn +02:06:23$/);
  });

  test('a filter is shown while it is typed, its end if it is long, and the cursor after it', () => {
    const state = { ...FIRST_STATE, filter: 'x'.repeat(30).concat('漢字'), typing: '' };
    const { lines, cursor } = drawnList(content(3), state, { columns: 20, rows: 6 }, OPTIONS);
    expect(lines.at(-1)).toBe(`${'x'.repeat(15)}漢字`);
    expect(cursor).toEqual({ row: 5, column: 19 });
  });

  test('a line that is wider than the screen is read by moving to the side', () => {
    const wide = content(1, {
      titles: 'A        B           C',
      lines: ['\u001b[31mred\u001b[39m      second      third'],
    });
    const size = { columns: 12, rows: 6 };
    const { lines } = pressing([key('right')], wide, size);
    expect(lines[1]).toBe(' B          ');
    expect(lines[2]).toBe('\u001b[31m\u001b[39m second     ');
    expect(
      pressing([key('right'), key('right'), key('right')], wide, size)
        .lines[2]?.trimEnd()
        .slice(-5),
    ).toBe('third');
  });
});

describe('the selected line', () => {
  const size = { columns: 60, rows: 12 };
  const listed = (words: string): ListContent => {
    const ids = words.split(' ').filter((id) => id !== '');
    return content(0, { ids, lines: ids.map((id) => `line ${id}`) });
  };
  /** The selected line after lists that are shown, and keys. */
  const markedAfter = (...steps: (string | (Key | string)[])[]) => {
    let state = FIRST_STATE;
    let shown = listed('');
    const extent = () => ({ ...extentOf(shown, size, state), ids: shown.ids });
    for (const step of steps) {
      if (typeof step === 'string') {
        shown = listed(step);
        state = within(state, extent());
      } else {
        for (const each of step)
          state = pressed(state, typeof each === 'string' ? { text: each } : each, extent()).state;
      }
    }
    return drawnList(shown, within(state, extent()), size, OPTIONS).marked;
  };
  const many = Array.from({ length: 50 }, (_, i) => `t${i}`);

  test.each<[string, (string | (Key | string)[])[], string | undefined]>([
    ['is the first one at first', ['a b c'], 'a'],
    [
      'stays the same one when others come before it, though nobody has moved there',
      ['a b c', 'x y a b'],
      'a',
    ],
    ['stays the same one when the order changes', ['a b c', ['j'], 'c a b'], 'b'],
    ['is none when it has gone, and not its neighbour', ['a b c', 'b c', 'c b'], undefined],
    ['is the same one again when it comes back', ['a b c', 'b c', 'b a c'], 'a'],
    ['is the next one after what has gone, with a step down', ['a b c', ['j'], 'a c', ['j']], 'c'],
    ['is the one before what has gone, with a step up', ['a b c', ['j'], 'a c', [key('up')]], 'a'],
    ['is the first one that a filter lets through', ['a b c', ['j', '/c'], 'c'], 'c'],
    ['is none when it has gone behind a filter', ['a b c', ['/b', key('enter')], 'b', 'c'], undefined],
    ['is the first one of another order, if nobody has moved', ['a b c', ['s'], 'c b a'], 'c'],
    [
      'is out of sight where nobody has moved to it, so that the first lines stay in sight',
      ['a b', [...many, 'a'].join(' ')],
      undefined,
    ],
    [
      'is the first line in sight with a step down from there',
      ['a b', [...many, 'a'].join(' '), ['j']],
      't0',
    ],
    ['is in sight where one has moved to it', ['a b', ['j'], [...many, 'b'].join(' ')], 'b'],
    ['is what comes first into an empty list', ['', 'a b'], 'a'],
  ])('%s', (_, steps, marked) => {
    expect(markedAfter(...steps)).toBe(marked);
  });
});

test('a head that is wider than the screen has a mark where it is cut', () => {
  const shown = content(1, { summary: ['Why it is in its state'] });
  const first = (unicode: boolean) =>
    drawnList(shown, FIRST_STATE, { columns: 12, rows: 8 }, { ...OPTIONS, unicode }).lines[0];
  expect(first(true)).toBe('Why it is i…');
  expect(first(false)).toBe('Why it is...');
});

describe('any screen, after any keys', () => {
  const names = [
    'up',
    'down',
    'left',
    'right',
    'page-up',
    'page-down',
    'home',
    'end',
    'enter',
    'escape',
    'backspace',
  ];
  const keys = fc.array(
    fc.oneof(
      fc.constantFrom(...names).map(key),
      fc.constantFrom('s', 'r', 'g', 'G', ' ', '/', 'ab', '漢').map((text): Key => ({ text })),
    ),
    { maxLength: 12 },
  );
  const line = fc.string({ unit: fc.constantFrom('a', ' ', '漢', 'é', '😀', 'b'), maxLength: 40 });
  const painted = line.map((text) => (text === '' ? '' : `\u001b[31m${text}\u001b[39m${text}`));
  const contents = fc.record<ListContent>({
    summary: fc.array(line, { maxLength: 5 }),
    titles: fc.option(line, { nil: undefined }),
    lines: fc.array(painted, { maxLength: 60 }),
    notes: fc.array(fc.string({ maxLength: 100 }), { maxLength: 6 }),
  });
  const sizes = fc.record({
    columns: fc.integer({ min: 1, max: 60 }),
    rows: fc.integer({ min: 1, max: 30 }),
  });

  test('has as many rows as the terminal, none wider than it, and a cursor inside it', () => {
    fc.assert(
      fc.property(contents, sizes, keys, (shown, size, pressedKeys) => {
        const { state } = pressing(pressedKeys, shown, size);
        const drawn = drawnList(shown, state, size, { ...OPTIONS, paint: colouredPalette() });
        expect(drawn.lines).toHaveLength(size.rows);
        for (const each of drawn.lines) expect(paintedWidth(each)).toBeLessThanOrEqual(size.columns);
        if (drawn.cursor !== undefined) {
          expect(drawn.cursor.row).toBeLessThan(size.rows);
          expect(drawn.cursor.column).toBeLessThan(size.columns);
        }
      }),
    );
  });

  test('shows each line or counts it, and all of them can be reached', () => {
    fc.assert(
      fc.property(fc.nat(60), fc.integer({ min: 6, max: 30 }), keys, (count, rows, pressedKeys) => {
        const size = { columns: 60, rows };
        const shown = content(count);
        const { state, lines } = pressing(pressedKeys, shown, size);
        const listed = lines.filter((each) => each.startsWith('thing '));
        const below = Number(/^(\d+) more/m.exec(lines.join('\n'))?.[1] ?? 0);
        const above = Number(/(\d+) above/.exec(lines.join('\n'))?.[1] ?? 0);
        expect(listed).toEqual(shown.lines.slice(above, count - below));
        expect(state.top).toBe(above);
        const all = new Set<string>();
        let at = pressed(state, key('home'), extentOf(shown, size, state)).state;
        for (let page = 0; page <= count; page++) {
          for (const each of drawnList(shown, at, size, OPTIONS).lines)
            if (each.startsWith('thing ')) all.add(each);
          at = pressed(at, key('page-down'), extentOf(shown, size, at)).state;
        }
        expect(all.size).toBe(count);
      }),
      { numRuns: 40 },
    );
  });
});
