import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { TaskRoot } from '../../src/discovery/found.js';
import { namesInside, placeOf, type SandboxOwner } from '../../src/sandbox/place.js';

const HOST_ROOT: TaskRoot = { path: '/r', layout: 'host', source: '--root', readable: true };
const SANDBOX = '/r/sandboxes/web';
const HOST: SandboxOwner = {
  task_id: 'web',
  root: HOST_ROOT,
  sandbox: { path: SANDBOX, recorded: '/old/sandboxes/web', found: true },
};

const RUN = '/m/slaves/S0/frameworks/F/executors/thermos-web/runs/c0ffee';
const MESOS: SandboxOwner = {
  task_id: 'web',
  root: { path: `${RUN}/checkpoints`, layout: 'mesos', source: '--mesos-root', readable: true, run_dir: RUN },
  sandbox: { path: `${RUN}/sandbox`, recorded: '/mnt/mesos/sandbox/sandbox', found: true },
};

const shown = (path: string, owner: SandboxOwner) => {
  const { top, names } = placeOf(path, owner, owner.sandbox?.path as string);
  return `${top} ${names.join('/')}`;
};
const OUTSIDE = expect.objectContaining({ code: 'path-outside', exitCode: 2 });

describe('on a bare host', () => {
  test.each([
    ['', `${SANDBOX} `],
    ['.', `${SANDBOX} `],
    ['logs/x', `${SANDBOX} logs/x`],
    ['./logs//x/', `${SANDBOX} logs/x`],
    ['a/../b', `${SANDBOX} a/../b`],
    [SANDBOX, `${SANDBOX} `],
    [`${SANDBOX}/logs/x`, `${SANDBOX} logs/x`],
    ['/old/sandboxes/web/logs/x', `${SANDBOX} logs/x`],
    ['é', `${SANDBOX} Ã©`],
  ])('%s is %s', (path, place) => {
    expect(shown(path, HOST)).toBe(place);
  });

  test.each([
    '..',
    '../x',
    'a/../../x',
    '/',
    '/etc/passwd',
    `${SANDBOX}2/x`,
    `${SANDBOX}/../x`,
    '/mnt/mesos/sandbox/x',
  ])('%s is not in the sandbox', (path) => {
    expect(() => shown(path, HOST)).toThrow(OUTSIDE);
  });
});

describe('in the Mesos layout', () => {
  test.each([
    ['logs/x', `${RUN}/sandbox logs/x`],
    ['/mnt/mesos/sandbox/sandbox/logs/x', `${RUN}/sandbox logs/x`],
    ['/mnt/mesos/sandbox/stderr', `${RUN} stderr`],
    ['/mnt/mesos/sandbox', `${RUN} `],
    [`${RUN}/sandbox/x`, `${RUN}/sandbox x`],
    [`${RUN}/stderr`, `${RUN} stderr`],
    ['/other/place/runs/c0ffee/stderr', `${RUN} stderr`],
  ])('%s is %s', (path, place) => {
    expect(shown(path, MESOS)).toBe(place);
  });

  test.each(['/mnt/mesos/sandbox/../x', '/mnt/mesos', `${RUN}/..`, '../stderr', '/m/slaves'])(
    '%s is not in the sandbox',
    (path) => {
      expect(() => shown(path, MESOS)).toThrow(OUTSIDE);
    },
  );
});

test('an absolute path of a link counts only below the same top', () => {
  const sandbox = `${RUN}/sandbox`;
  expect(namesInside('/mnt/mesos/sandbox/sandbox/x', MESOS, sandbox, sandbox)).toEqual(['x']);
  expect(namesInside('/mnt/mesos/sandbox/stderr', MESOS, sandbox, sandbox)).toBeUndefined();
  expect(namesInside('/mnt/mesos/sandbox/stderr', MESOS, sandbox, RUN)).toEqual(['stderr']);
});

test('no path has a place that leads out', () => {
  const path = fc
    .array(fc.constantFrom('..', '.', '', 'a', 'sandbox', 'r', 'sandboxes', 'web', 'mnt'))
    .map((names) => names.join('/'));
  fc.assert(
    fc.property(path, fc.constantFrom(HOST, MESOS), (given, owner) => {
      let depth = 0;
      try {
        for (const name of placeOf(given, owner, owner.sandbox?.path as string).names) {
          depth += name === '..' ? -1 : 1;
          expect(depth).toBeGreaterThanOrEqual(0);
        }
      } catch (error) {
        expect(error).toEqual(OUTSIDE);
      }
    }),
  );
});
