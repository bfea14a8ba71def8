import { readdirSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { gcTask } from './gc-trees.js';
import { ago, expectScreens, ORDINARY, screenPlace, startScreen } from './screen.js';

const place = screenPlace();
const DATA = { 'data.bin': 'x'.repeat(1024 * 1024), '.logs/p/0/stdout': 'y'.repeat(1024 * 1024) };

/** Tasks of Aurora with so much data that what a file system adds is not seen in the sizes. */
function makeTasks(count: number): void {
  for (let i = 0; i < count; i++) {
    const id = `www-data-prod-web-${i}-1a2b${3000 + i}-8d2f-4c11-9e0a-0123456789ab`;
    gcTask(place.root, id, { ageMs: Date.now() - ago(i + 1, 'h'), sandbox: DATA });
  }
}

const left = () => readdirSync(`${place.root}/checkpoints`).length;

describe('the plan on a terminal', () => {
  test('is folded above the question if it does not fit: what is refused first, then tasks, reasons and places', async () => {
    makeTasks(14);
    const sandbox = '/etc';
    gcTask(place.root, 'system', {
      ageMs: Date.now() - ago(20, 'h'),
      header: { sandbox, log_dir: '/none' },
      sandbox: {},
    });
    const args = ['gc', '--root', place.root, '--keep-metadata', '--delete-data'];
    await expectScreens('gc-folded', args, { steps: [{ see: '[y/N]' }] });
    expect(left()).toBe(15);
  });

  test('is shown whole if it fits', async () => {
    makeTasks(1);
    const args = ['gc', '--root', place.root, '--keep-metadata', '--delete-data', '--dry-run'];
    await expectScreens('gc-whole', args);
    expect(left()).toBe(1);
  });
});

test('only a yes is a yes: after every other answer the terminal is as it was, and nothing is touched', async () => {
  makeTasks(1);
  const answers = [
    ['n\n', 1],
    ['\n', 1],
    ['\u0004', 1],
    ['\u0003', 130],
  ] as const;
  await Promise.all(
    answers.map(async ([keys, status]) => {
      const screen = startScreen(['gc', '--root', place.root]);
      await screen.until('Carry this out? [y/N]');
      screen.type(keys);
      expect(await screen.ended).toBe(status);
      expect(screen.settingsKept).toBe(true);
      expect(screen.modes).toEqual(ORDINARY);
      const lines = screen.lines.filter((line) => line !== '');
      if (status === 1) expect(lines.at(-1)).toBe('Nothing was done.');
    }),
  );
  expect(left()).toBe(1);
});

describe('Ctrl-C while the event loop is blocked', () => {
  /** Makes the calls that planning and removing need take long. */
  function slow(names: readonly string[]): Record<string, string> {
    const path = `${place.path}/slow.cjs`;
    const code = `const fs = require('node:fs');
for (const name of ${JSON.stringify(names)}) {
  const real = fs[name];
  fs[name] = (...args) => {
    if (String(args[0]).includes('www-data')) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
    return real(...args);
  };
}
`;
    writeFileSync(path, code);
    return { NODE_OPTIONS: `--require ${path}` };
  }

  test.each([
    ['planning', ['lstatSync', 'statSync', 'readdirSync', 'openSync'], []],
    ['removing', ['unlinkSync', 'rmdirSync'], ['--yes']],
  ])('of %s ends it at once, and clears its progress', async (what, names, args) => {
    makeTasks(20);
    const screen = startScreen(['gc', '--root', place.root, ...args], { env: slow(names) });
    await screen.until(new RegExp(`${what}: \\d+ of 20 tasks`));
    const then = Date.now();
    screen.type('\u0003');
    expect(await screen.ended).toBe(130);
    expect(Date.now() - then).toBeLessThan(30_000);
    expect(screen.settingsKept).toBe(true);
    expect(screen.modes).toEqual(ORDINARY);
    expect(screen.lines.filter((line) => line !== '')).toEqual([]);
    expect(left()).toBeGreaterThan(0);
  });
});
