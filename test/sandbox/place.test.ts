import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { TaskRoot } from '../../src/discovery/found.js';
import { namesInside, namesOfPath, type SandboxOwner, topOf } from '../../src/sandbox/place.js';

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
  const top = topOf(owner) as string;
  return `${top} ${namesOfPath(path, owner, top).join('/')}`;
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
    ['stderr', `${RUN} stderr`],
    ['sandbox/logs/x', `${RUN} sandbox/logs/x`],
    ['/mnt/mesos/sandbox/sandbox/logs/x', `${RUN} sandbox/logs/x`],
    ['/mnt/mesos/sandbox/stderr', `${RUN} stderr`],
    ['/mnt/mesos/sandbox', `${RUN} `],
    [`${RUN}/sandbox/x`, `${RUN} sandbox/x`],
    [`${RUN}`, `${RUN} `],
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

  test('the sandbox of the executor is known without one of the task', () => {
    const { sandbox: _, ...owner } = MESOS;
    expect(shown('/mnt/mesos/sandbox/stderr', owner)).toBe(`${RUN} stderr`);
    expect(topOf({ ...HOST, sandbox: undefined })).toBeUndefined();
  });
});

test('an absolute path of a link is one of the task', () => {
  expect(namesInside('/old/sandboxes/web/x', HOST, SANDBOX)).toEqual(['x']);
  expect(namesInside('/old/sandboxes/x', HOST, SANDBOX)).toBeUndefined();
});

test('no path has a place that leads out', () => {
  const path = fc
    .array(fc.constantFrom('..', '.', '', 'a', 'sandbox', 'r', 'sandboxes', 'web', 'mnt'))
    .map((names) => names.join('/'));
  fc.assert(
    fc.property(path, fc.constantFrom(HOST, MESOS), (given, owner) => {
      let depth = 0;
      try {
        for (const name of namesOfPath(given, owner, topOf(owner) as string)) {
          depth += name === '..' ? -1 : 1;
          expect(depth).toBeGreaterThanOrEqual(0);
        }
      } catch (error) {
        expect(error).toEqual(OUTSIDE);
      }
    }),
  );
});
