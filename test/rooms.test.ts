import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { REPOSITORY } from './e2e/harness.js';
import { SOURCES as FILES, modulesOf, SRC } from './sources.js';

const MAP = readFileSync(join(REPOSITORY, 'ARCHITECTURE.md'), 'utf8');

/** The rooms of src/ as the map has them, from top to bottom: a room may import those below it. */
const ROOMS = [...MAP.matchAll(/^\| `([a-z]+)` \|/gm)].map(([, room]) => room as string);

test('every file and folder that the map names is there', () => {
  const named = [...MAP.matchAll(/`((?:src|test|bin|docs|fixtures|man|schemas)\/[^`]*)`/g)];
  // Up to the folder, of a pattern.
  const paths = named.map(([, path = '']) => path.replace(/[^/]*\*.*$/, ''));
  expect(paths.length).toBeGreaterThan(30);
  expect(paths.filter((path) => !existsSync(join(REPOSITORY, path)))).toEqual([]);
});

test('every page of the docs is linked from the README or from another page', () => {
  const pages = readdirSync(join(REPOSITORY, 'docs')).filter((name) => name.endsWith('.md'));
  const texts = new Map(pages.map((name) => [name, readFileSync(join(REPOSITORY, 'docs', name), 'utf8')]));
  const readme = readFileSync(join(REPOSITORY, 'README.md'), 'utf8');
  const isLinked = (name: string) =>
    readme.includes(`](docs/${name}`) ||
    [...texts].some(([from, text]) => from !== name && text.includes(`](${name}`));
  expect(pages.length).toBeGreaterThan(10);
  expect(pages.filter((name) => !isLinked(name))).toEqual([]);
});

test('every link between the pages and to files of the repository leads somewhere', () => {
  const linking = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md'];
  for (const name of readdirSync(join(REPOSITORY, 'docs')))
    if (name.endsWith('.md')) linking.push(`docs/${name}`);
  const dead = linking.flatMap((page) =>
    [...readFileSync(join(REPOSITORY, page), 'utf8').matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)]
      .map(([, target]) => target as string)
      .filter((target) => !existsSync(join(REPOSITORY, page, '..', target)))
      .map((target) => `${page}: ${target}`),
  );
  expect(dead).toEqual([]);
});

interface Import {
  from: string;
  typesOnly: boolean;
}

function importsOf(source: string): Import[] {
  const found = source.matchAll(/^(?:import|export)(\s+type)?\s[^;]*?from '([^']+)';|import\('([^']+)'\)/gm);
  return [...found].map(([, type, from, lazy]) => ({
    from: (from ?? lazy) as string,
    typesOnly: type !== undefined,
  }));
}

function roomOf(path: string): string {
  return path.split('/')[0] as string;
}

/** Use cases give data: what draws and encodes it is chosen above them. */
const NOT_IN_APP = ['views'];

describe('rooms', () => {
  test('every folder of src is one', () => {
    expect(readdirSync(SRC).sort()).toEqual([...ROOMS].sort());
  });

  test.each(FILES)('$path imports only what is below', ({ path, source }) => {
    const room = roomOf(path);
    for (const { from } of importsOf(source)) {
      if (!from.startsWith('.')) continue;
      const other = roomOf(relative(SRC, join(SRC, path, '..', from)));
      expect(`${other} (${ROOMS.indexOf(other) >= ROOMS.indexOf(room)})`).toBe(`${other} (true)`);
      if (room === 'app') expect(NOT_IN_APP).not.toContain(other);
    }
  });
});

/** Programs of their own: one is started for each run of a process, the other is part of the build. */
const ENTRIES = [
  'runner/coordinator/main.ts',
  'config/python/make-snapshot.ts',
  // In a browser, it has no other clock.
  'report/viewer/browser/main.ts',
];

test.each(FILES.filter(({ path }) => !['cli', 'commands'].includes(roomOf(path)) && !ENTRIES.includes(path)))(
  '$path knows no terminal, no clock and no command line',
  ({ source }) => {
    const code = source.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
    expect(code).not.toMatch(
      /process\.(stdout|stderr|stdin|exit|argv)\b|Date\.now\(|new Date\(\)|\bconsole\./,
    );
    for (const { from } of importsOf(source)) expect(from).not.toMatch(/^(@oclif\/.*|chalk|ora)$/);
  },
);

test('zod is loaded by the commands that check task files, as its small part', () => {
  const loads = new Map(FILES.map(({ path, source }) => [path, loadedBy(path, source)]));
  const reached = (path: string, seen = new Set<string>()): ReadonlySet<string> => {
    // What completes words and shows help loads the other commands' words, and not what they do.
    if (seen.has(path) || (seen.size > 0 && /^(?:commands|cli\/completion)\//.test(path))) return seen;
    seen.add(path);
    for (const next of loads.get(path) ?? []) reached(next, seen);
    return seen;
  };
  const commands = FILES.filter(({ path }) => roomOf(path) === 'commands' && path !== 'commands/index.ts');
  const loading = commands.filter(({ path }) => reached(path).has('task/task-schema.ts'));
  expect(loading.map(({ path }) => path)).toEqual([
    'commands/diff.ts',
    'commands/doctor.ts',
    'commands/inspect.ts',
    // When it goes on in the place of a runner that died.
    'commands/kill.ts',
    'commands/report.ts',
    'commands/run-daemon.ts',
    'commands/run.ts',
    'commands/runner.ts',
    'commands/simplerun.ts',
    // When it inspects a task.
    'commands/top.ts',
    'commands/ui.ts',
    'commands/write-page.ts',
  ]);
});

/** The files of ours that a file loads, at its start or later. */
function loadedBy(path: string, source: string): string[] {
  return modulesOf(source).map((from) => relative(SRC, join(SRC, path, '..', from)).replace(/\.js$/, '.ts'));
}

test('the whole of zod is for the contracts, which no command loads', () => {
  for (const { path, source } of FILES) {
    if (roomOf(path) === 'contracts' && !/^contracts\/encode/.test(path)) continue;
    for (const { from, typesOnly } of importsOf(source)) {
      expect(`${path}: ${from}`).not.toBe(`${path}: zod`);
      if (path !== 'task/task-schema.ts') expect(`${path}: ${from}`).not.toBe(`${path}: zod/mini`);
      const schema =
        /\/contracts\/(?!encode)/.test(from) ||
        (/^contracts\/encode/.test(path) && /^\.\/(?!encode)/.test(from));
      if (schema)
        expect(`${path}: ${from}, types only: ${typesOnly}`).toBe(`${path}: ${from}, types only: true`);
    }
  }
});

// The words of a call lie on the stack: with some 120,000 there is no room for them.
test.each(FILES)('$path spreads nothing that may be long into a call', ({ path, source }) => {
  const spread = source.match(/\.(?:push|unshift|splice)\(\.\.\.[^\n]*/g) ?? [];
  const short = path === 'discovery/relocate.ts' ? 1 : 0;
  expect(spread).toHaveLength(short);
});

test('no file loads itself again by way of others, at its start or later', () => {
  const loads = new Map(FILES.map(({ path, source }) => [path, loadedBy(path, source)]));
  expect(circlesIn(loads)).toEqual([]);
});

/** The circles that are closed by following each arrow once: `a > b > a`. */
function circlesIn(arrows: ReadonlyMap<string, readonly string[]>): string[] {
  const circles: string[] = [];
  const done = new Set<string>();
  const follow = (at: string, way: readonly string[]) => {
    if (way.includes(at)) circles.push([...way.slice(way.indexOf(at)), at].join(' > '));
    if (done.has(at)) return;
    done.add(at);
    for (const next of arrows.get(at) ?? []) follow(next, [...way, at]);
  };
  for (const at of arrows.keys()) follow(at, []);
  return circles;
}

test('circles are found', () => {
  const arrows = { a: ['b'], b: ['c', 'd'], c: ['a'], d: ['d'], e: ['b'] };
  expect(circlesIn(new Map(Object.entries(arrows)))).toEqual(['a > b > c > a', 'd > d']);
});

test('the name of a type means one thing: no other file declares it', () => {
  const files = new Map<string, string[]>();
  for (const { path, source } of FILES) {
    for (const [, name = ''] of source.matchAll(
      /^(?:export )?(?:abstract )?(?:interface|type|class|enum) (\w+)/gm,
    ))
      files.set(name, [...(files.get(name) ?? []), path]);
  }
  expect(files.size).toBeGreaterThan(500);
  // A class of a command, a default export, is called as its command.
  expect([...files].filter(([, paths]) => paths.length > 1)).toEqual([]);
});
