import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { OtherRoots, type RootsReader } from '../../src/gc/other-roots.js';
import { parentOf } from '../../src/store/paths.js';

/** A disk that has these directories, and all above them. */
function disk(...paths: string[]): RootsReader {
  const all = new Set<string>();
  for (const path of paths) for (let at = path; at !== '/'; at = parentOf(at)) all.add(at);
  return {
    isDirectory: (path) => all.has(path),
    exists: (path) => all.has(path),
    directoriesIn: (path) =>
      [...all].filter((each) => parentOf(each) === path).map((each) => each.slice(each.lastIndexOf('/') + 1)),
    namesIn: () => undefined,
  };
}

const root = (path: string, ...ids: string[]) => [
  `${path}/tasks/finished`,
  ...ids.map((id) => `${path}/checkpoints/${id}`),
];

describe('a sandbox outside its root belongs to another one', () => {
  test.each([
    ['that it is itself', '/x', root('/x', 'u'), 'it is a task root'],
    ['that it is a part of', '/orig/deep/t', root('/orig', 'u'), 'it is a part of the task root /orig'],
    [
      'that has it among its sandboxes',
      '/orig/sandboxes/t',
      ['/orig/tasks'],
      'it is a sandbox of the task root /orig',
    ],
    [
      'beside it, that has the task',
      '/place/sandboxes/t',
      root('/place/root', 't'),
      '/place/root has a task of this id',
    ],
    [
      'beside the root, that has the task',
      '/far/off/t',
      root('/roots/other', 't'),
      '/roots/other has a task of this id',
    ],
    [
      'above it, that has only the task’s streams',
      '/a/b/t',
      ['/a/checkpoints/t'],
      '/a has a task of this id',
    ],
  ])('%s', (_, sandbox, paths, why) => {
    const others = new OtherRoots([], disk(...paths, ...root('/roots/own', 't')));
    expect(others.owning(sandbox, 't', '/roots/own', true)).toContain(why);
  });

  test('that is known', () => {
    const others = new OtherRoots(['/var/run/thermos'], disk(...root('/var/run/thermos', 't')));
    expect(others.owning('/far/t', 't', '/own', true)).toContain('/var/run/thermos has a task of this id');
    expect(others.owning('/far/t', 'u', '/own', true)).toBeUndefined();
  });

  test('not, if its mark is certain, but for one above', () => {
    const look = disk(...root('/place/root', 't'), ...root('/orig', 'u'));
    expect(new OtherRoots([], look).owning('/place/t', 't', '/own', false)).toBeUndefined();
    expect(new OtherRoots([], look).owning('/orig/t', 't', '/own', false)).toContain('/orig');
  });

  test('or may, if too much lies there to be looked at', () => {
    const look = { ...disk('/a/b'), directoriesIn: (path: string) => (path === '/a' ? undefined : []) };
    expect(new OtherRoots([], look).owning('/a/t', 't', '/own', true)).toContain('/a has too many entries');
  });
});

test('its own root, and one in the sandbox, are none', () => {
  const segment = fc.constantFrom('a', 'b', 'sandboxes', 't');
  const path = fc.array(segment, { minLength: 1, maxLength: 4 }).map((names) => `/${names.join('/')}`);
  fc.assert(
    fc.property(path, path, (own, sandbox) => {
      fc.pre(!`${sandbox}/`.startsWith(`${own}/`) && !`${own}/`.startsWith(`${sandbox}/`));
      const look = disk(...root(own, 't'), ...root(`${sandbox}/inner`, 't'));
      expect(new OtherRoots([own], look).owning(sandbox, 't', own, true)).toBeUndefined();
    }),
  );
});
