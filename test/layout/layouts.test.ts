import { describe, expect, test } from 'vitest';
import { LAYOUT_NAMES, LAYOUTS, layoutAt } from '../../src/layout/layouts.js';

const RUN = '/var/lib/mesos/slaves/S/frameworks/F/executors/E/runs/R';

describe('the layout of a root by its path', () => {
  test.each([
    [`${RUN}/checkpoints`, 'mesos'],
    [`${RUN}/sandbox/checkpoints`, 'host'],
    ['/var/run/thermos', 'host'],
    ['/', 'host'],
  ])('%s: %s', (path, name) => {
    expect(layoutAt(path).name).toBe(name);
  });

  test('a root of each layout is recognized as one of it, but a bare one, which is recognized by nothing', () => {
    expect(LAYOUT_NAMES.filter((name) => LAYOUTS[name].isAt(`${RUN}/checkpoints`))).toEqual(['mesos']);
    expect(LAYOUT_NAMES.filter((name) => LAYOUTS[name].isAt('/srv/thermos'))).toEqual([]);
  });
});

test.each(LAYOUT_NAMES)('%s: another program owns the sandboxes, or the root holds them', (name) => {
  const { ownsSandboxes, holdsSandboxes } = LAYOUTS[name];
  expect(ownsSandboxes && holdsSandboxes).toBe(false);
  expect(LAYOUTS[name].name).toBe(name);
});
