import { chmodSync, chownSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Defaults, defaultsPaths, HOST_DEFAULTS, readDefaults } from '../../src/app/defaults.js';
import { parseDefaults } from '../../src/app/defaults-file.js';
import { defaults as schema } from '../../src/contracts/defaults.js';
import { UsageError } from '../../src/errors/errors.js';
import { placeForEach } from '../e2e/harness.js';

test.each<[Record<string, string>, string[]]>([
  [{ HOME: '/home/u' }, [HOST_DEFAULTS, '/home/u/.config/thermos/config.json']],
  [{ HOME: '/home/u', XDG_CONFIG_HOME: '/x' }, [HOST_DEFAULTS, '/x/thermos/config.json']],
  [{ HOME: '/home/u', XDG_CONFIG_HOME: 'x' }, [HOST_DEFAULTS, '/home/u/.config/thermos/config.json']],
  [{}, [HOST_DEFAULTS]],
  [{ HOME: '/home/u', THERMOS_CONFIG: '/y.json' }, ['/y.json']],
  [{ HOME: '/home/u', THERMOS_CONFIG: '' }, []],
])('with %j: %j', (env, paths) => {
  expect(defaultsPaths(env)).toEqual(paths);
});

describe('what is wrong is told with file, line and key', () => {
  const fault = (text: string) => {
    try {
      parseDefaults(text, '/etc/x.json');
    } catch (error) {
      expect(error).toBeInstanceOf(UsageError);
      expect(error).toMatchObject({ code: 'defaults-invalid', exitCode: 2 });
      return `${(error as UsageError).message} (${(error as UsageError).hint})`;
    }
    return undefined;
  };
  const HELP = "(see 'thermos help config')";

  test.each([
    ['{\n  "root": []\n}', '/etc/x.json:2: unknown key root (did you mean roots?)'],
    [
      '{"gc": {\n\n"max_age": 3}}',
      `/etc/x.json:3: gc.max_age takes a duration such as "90s", "1h30m" or "2d", not 3 ${HELP}`,
    ],
    [
      '{"gc": {"max_age": "soon"}}',
      `/etc/x.json:1: gc.max_age takes a duration such as "90s", "1h30m" or "2d", not "soon" ${HELP}`,
    ],
    [
      '{"gc": {"max_tasks": -1}}',
      `/etc/x.json:1: gc.max_tasks takes a whole number, 0 or higher, not -1 ${HELP}`,
    ],
    [
      '{"gc": {"max_space": "20"}}',
      `/etc/x.json:1: gc.max_space takes a size such as "20G" or "500MB", not "20" ${HELP}`,
    ],
    ['{"gc": []}', `/etc/x.json:1: gc takes an object, not [] ${HELP}`],
    [
      '{"roots":["/a"],\n\n"mesos_roots": ["b"]}',
      `/etc/x.json:3: mesos_roots takes a list of absolute paths, not ["b"] ${HELP}`,
    ],
    ['{"color": true}', `/etc/x.json:1: color takes "auto" or "never", not true ${HELP}`],
    ['{"pager": null}', `/etc/x.json:1: pager takes a command line, not null ${HELP}`],
    ['{"a\\nb": 1}', `/etc/x.json:1: unknown key a\nb ${HELP}`],
    ['{"__proto__": 1}', `/etc/x.json:1: unknown key __proto__ ${HELP}`],
    [
      '{"roots": [1, "{", ":"], "x": 1}',
      `/etc/x.json:1: roots takes a list of absolute paths, not [1,"{",":"] ${HELP}`,
    ],
    ['[]', `/etc/x.json: the file takes an object, not [] ${HELP}`],
    ['{\n"roots": [}', `/etc/x.json:2: this is not JSON: a value is expected, not "}" ${HELP}`],
    ['', '/etc/x.json:1: this is not JSON'],
    ['{"pager": NaN}', `/etc/x.json: this is not JSON ${HELP}`],
  ])('%j', (text, message) => {
    expect(fault(text)).toContain(message);
  });

  test('what is accepted fits the schema that is published, and what does not fit is refused', () => {
    const value = fc.oneof(
      fc.jsonValue(),
      fc.constantFrom(
        'auto',
        '/a',
        '2d',
        '1G',
        7,
        ['/a', '/b'],
        ['a'],
        { max_age: '2d', max_tasks: 0 },
        { x: 1 },
      ),
    );
    const keys = ['$schema', 'roots', 'mesos_roots', 'gc', 'color', 'pager', 'other'] as const;
    const file = fc.record(Object.fromEntries(keys.map((key) => [key, value])), { requiredKeys: [] });
    fc.assert(
      fc.property(fc.oneof(file, fc.jsonValue()), (json) => {
        const refused = fault(JSON.stringify(json)) !== undefined;
        const fits = schema.safeParse(json).success;
        // The schema does not know what a duration and a size are.
        if (!refused) expect(fits).toBe(true);
        const gc = (json as { gc?: { max_age?: unknown; max_space?: unknown } } | null)?.gc;
        if (refused && gc?.max_age === undefined && gc?.max_space === undefined) {
          const hasNul = JSON.stringify(json).includes('\\u0000');
          expect(fits && !hasNul).toBe(false);
        }
      }),
    );
  });
});

describe('the files', () => {
  const temp = placeForEach();
  const euid = process.geteuid?.() ?? 0;

  function write(name: string, json: unknown): string {
    const path = join(temp.path, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, typeof json === 'string' ? json : JSON.stringify(json), { mode: 0o644 });
    return path;
  }
  const read = (...paths: string[]) => readDefaults({ env: {}, euid }, paths);
  const said = ({ problems }: Defaults) => problems.map(({ code, message }) => `${code}: ${message}`);

  test('none: nothing', async () => {
    expect(await read(join(temp.path, 'none'), join(temp.path, 'no/ne'))).toEqual({ gc: {}, problems: [] });
  });

  test('the later one wins, key by key; roots and mesos_roots are one', async () => {
    const host = write('a', {
      roots: ['/a'],
      mesos_roots: ['/m'],
      gc: { max_age: '2d', max_tasks: 5 },
      pager: 'more',
    });
    const own = write('b', { roots: ['/b'], gc: { max_tasks: 9, max_space: '1G' }, color: 'never' });
    expect(await read(host, own)).toEqual({
      roots: { root: ['/b'], mesosRoot: [], source: own },
      gc: { 'max-age': '2d', 'max-tasks': '9', 'max-space': '1G' },
      colour: 'never',
      pager: 'more',
      problems: [],
    });
  });

  test('one that somebody else could have written, or that cannot be read, is not used, and that is told', async () => {
    const open = write('open', { pager: 'x' });
    chmodSync(open, 0o646);
    const below = write('open-directory/file', { pager: 'y' });
    chmodSync(dirname(below), 0o757);
    const linked = join(temp.path, 'link');
    symlinkSync(below, linked);
    const found = await read(open, below, linked, temp.path);
    expect(found.pager).toBe(undefined);
    expect(said(found)).toEqual([
      `defaults-ignored: the defaults in ${open} are not used: ${open} can be written by everybody`,
      `defaults-ignored: the defaults in ${below} are not used: ${dirname(below)} can be written by everybody`,
      `defaults-ignored: the defaults in ${linked} are not used: ${dirname(below)} can be written by everybody`,
      expect.stringContaining(`defaults-ignored: the defaults in ${temp.path} are not used: `),
    ]);
  });

  test('root uses only files of root', async () => {
    const path = write('file', { pager: 'x' });
    if (euid === 0) chownSync(path, 65_534, 65_534);
    const found = await readDefaults({ env: {}, euid: 0 }, [path]);
    expect(said(found)).toEqual([expect.stringMatching(/^defaults-ignored: .* belongs to uid \d+$/)]);
  });

  test('a link to a file of his own is fine', async () => {
    const path = write('dotfiles/config.json', { pager: 'x' });
    symlinkSync(path, join(temp.path, 'link'));
    expect(await read(join(temp.path, 'link'))).toMatchObject({ pager: 'x', problems: [] });
  });

  test('THERMOS_CONFIG names one that must exist', async () => {
    const env = { THERMOS_CONFIG: join(temp.path, 'none') };
    await expect(readDefaults({ env, euid })).rejects.toMatchObject({ code: 'defaults-invalid' });
  });
});
