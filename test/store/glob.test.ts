import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { globDirectories } from '../../src/store/glob.js';
import { tempDir } from '../e2e/harness.js';

let dir: string;
let remove: () => void;
beforeEach(() => {
  ({ path: dir, remove } = tempDir());
});
afterEach(() => remove());

const make = (...paths: string[]) => {
  for (const path of paths) mkdirSync(join(dir, path), { recursive: true });
};

/** What is found, as paths in the directory, and what was reported. */
const found = (way: readonly (string | undefined)[], options: { max?: number; below?: string } = {}) => {
  const told: string[] = [];
  const paths = globDirectories(dir, way, {
    max: 100,
    refused: (directory) => told.push(`refused ${directory.slice(dir.length)}`),
    cut: (directory) => told.push(`cut ${directory.slice(dir.length)}`),
    ...options,
  });
  return { paths: paths.map((path) => path.slice(dir.length)), told };
};

test('directories, in the order of their names; names of the way are looked up', () => {
  make('b/in/x', 'a/in/z', 'a/in/y', 'a/out/x', 'a-b/in/x', 'c');
  writeFileSync(join(dir, 'file'), '');
  writeFileSync(join(dir, 'a/in/file'), '');
  writeFileSync(join(dir, 'c/in'), '');
  expect(found([undefined, 'in', undefined])).toEqual({
    paths: ['/a/in/y', '/a/in/z', '/a-b/in/x', '/b/in/x'],
    told: [],
  });
  expect(found(['a', 'in', undefined]).paths).toEqual(['/a/in/y', '/a/in/z']);
  expect(found([undefined]).paths).toEqual(['/a', '/a-b', '/b', '/c']);
  expect(found([]).paths).toEqual(['']);
});

test('no link is followed, whether its name was looked for or found', () => {
  make('real/in/x', 'other');
  symlinkSync('real', join(dir, 'link'));
  symlinkSync('../real/in', join(dir, 'other/in'));
  symlinkSync('x', join(dir, 'real/in/latest'));
  expect(found([undefined, 'in', undefined]).paths).toEqual(['/real/in/x']);
  expect(found(['link', 'in', undefined]).paths).toEqual([]);
  expect(found(['other', 'in', undefined]).paths).toEqual([]);
});

test('what cannot be listed is reported, and the rest is found', () => {
  make('a/in/x', 'b/in/x');
  const opening = { below: join(dir, 'b') };
  expect(found(['b', 'in', undefined], opening)).toEqual({ paths: ['/b/in/x'], told: [] });
  expect(found(['a', 'in', undefined], opening)).toEqual({ paths: [], told: ['refused /a/in'] });
  expect(found(['no', 'in', undefined])).toEqual({ paths: [], told: [] });
  expect(found([undefined], { below: join(dir, 'b') })).toEqual({ paths: [], told: ['refused '] });
});

test('a directory that somebody filled is reported, and costs no more than its share', () => {
  make('few/in/x', ...Array.from({ length: 9 }, (_, i) => `many/in/${i}`));
  const { paths, told } = found([undefined, 'in', undefined], { max: 5 });
  expect(paths).toHaveLength(6);
  expect(told).toEqual(['cut /many/in']);
});

const someName = fc.oneof(
  fc.constantFrom('*', '**', '...', '.a', '.\\', 'a\\', '\\*', '[a]', '{a,b}', '!(a)', '!', '@(a)', 'a\nb'),
  fc.constantFrom('~', '$HOME', '__proto__', 'ünï', '\u001b[31m', ' ', '-', 'in', '(', '+', '?', '#', '.\\a'),
);

test('any name is found as a walk by hand finds it', () => {
  let round = 0;
  const walk = (path: string, [first, ...rest]: readonly (string | undefined)[]): string[] => {
    const names = readdirSync(path).filter((name) => first === undefined || name === first);
    const paths = names.sort().map((name) => `${path}/${name}`);
    return rest.length === 0 ? paths : paths.flatMap((each) => walk(each, rest));
  };
  const way = [undefined, 'in', undefined, undefined];
  fc.assert(
    fc.property(fc.array(fc.array(someName, { minLength: 1, maxLength: 4 }), { maxLength: 12 }), (paths) => {
      const top = `${round++}`;
      make(top, ...paths.map(([first, ...rest]) => [top, first, 'in', ...rest].join('/')));
      expect(found([top, ...way]).paths.map((path) => dir + path)).toEqual(walk(join(dir, top), way));
    }),
    { numRuns: 50 },
  );
});
