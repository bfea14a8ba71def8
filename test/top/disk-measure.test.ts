import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { measureAll, measureDisk, outermost } from '../../src/top/disk-measure.js';

const directory = mkdtempSync(join(tmpdir(), 'thermos-disk-'));
afterAll(() => rmSync(directory, { recursive: true }));

const MANY = { most: 100_000 };

function sandbox(name: string, bytes: number): string {
  const path = join(directory, name);
  mkdirSync(join(path, '.logs'), { recursive: true });
  writeFileSync(join(path, 'file'), Buffer.alloc(bytes, 1));
  return path;
}

describe('what a task occupies', () => {
  test('logs in the sandbox count once', () => {
    expect(outermost({ sandbox: '/s', log_dir: '/s/.logs' })).toEqual(['/s']);
    expect(outermost({ sandbox: '/s', log_dir: '/s' })).toEqual(['/s']);
    expect(outermost({ sandbox: '/s', log_dir: '/s2' })).toEqual(['/s', '/s2']);
    expect(outermost({ sandbox: '/l/s', log_dir: '/l' })).toEqual(['/l']);
    expect(outermost({})).toEqual([]);
  });

  test('is that of sandbox and logs', () => {
    const path = sandbox('both', 100_000);
    const alone = measureDisk({ sandbox: path }, MANY);
    expect(alone?.bytes).toBeGreaterThanOrEqual(100_000);
    expect(alone?.atLeast).toBeUndefined();
    expect(measureDisk({ sandbox: path, log_dir: join(path, '.logs') }, MANY)).toEqual(alone);
    const logs = sandbox('logs', 50_000);
    expect(measureDisk({ sandbox: path, log_dir: logs }, MANY)?.bytes).toBeGreaterThanOrEqual(150_000);
  });

  test('is a lower bound if one of the two cannot be measured, and unknown without both', () => {
    const path = sandbox('half', 10_000);
    expect(measureDisk({ sandbox: path, log_dir: join(directory, 'absent') }, MANY)?.atLeast).toBe(true);
    expect(measureDisk({ sandbox: join(directory, 'absent') }, MANY)).toBeUndefined();
    expect(measureDisk({}, MANY)).toBeUndefined();
  });

  test.runIf(process.getuid?.() === 0)('is unknown behind a link that another user made', () => {
    const path = sandbox('theirs', 10);
    const link = join(directory, 'link');
    symlinkSync(path, link);
    expect(measureDisk({ sandbox: link }, { ...MANY, trusted: new Set([12345]) })).toBeUndefined();
    expect(measureDisk({ sandbox: link }, MANY)).toBeDefined();
  });
});

test('within a budget, each task has its part of the time', () => {
  const tasks = ['a', 'b', 'c'].map((name) => {
    const path = sandbox(`budget-${name}`, 10);
    for (let i = 0; i < 200; i++) writeFileSync(join(path, String(i)), '');
    return { sandbox: path };
  });
  let now = 0;
  // Each question takes 10 ms.
  const clock = () => {
    now += 10;
    return now;
  };
  const sizes = [...measureAll(tasks, { ms: 10_000, entries: 1000 }, clock).values()];
  expect(sizes.map(({ atLeast }) => atLeast)).toEqual([undefined, undefined, undefined]);
  const short = [...measureAll(tasks, { ms: 60, entries: 1000 }, clock).values()];
  expect(short.map(({ atLeast }) => atLeast)).toEqual([true, true, true]);
  expect(measureAll(tasks, { ms: 10_000, entries: 50 }, clock).size).toBe(3);
});
