import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonical, PathCache, type PathReader } from '../../src/gc/canonical.js';

interface Node {
  /** Where a link leads. */
  link?: string;
  uid?: number;
  mode?: number;
}

/** A disk of directories, and of links by where they lead. */
function disk(nodes: Record<string, Node>): PathCache {
  const look: PathReader = {
    stat: (path) => {
      if (path === '/') return stat({});
      const node = nodes[path];
      return node && stat(node);
    },
    linkTarget: (path) => nodes[path]?.link,
    realPath: (path) => nodes[path]?.link ?? (nodes[path] && path),
  };
  return new PathCache(look);
}

function stat({ link, uid = 0, mode = 0o755 }: Node) {
  return { uid, mode, isDirectory: () => link === undefined, isSymbolicLink: () => link !== undefined };
}

const NODES: Record<string, Node> = {
  '/run': {},
  '/run/t': {},
  '/var': {},
  '/var/run': { link: '/run' },
  '/var/rel': { link: '../run' },
  '/var/loop': { link: 'loop' },
  '/home': {},
  '/home/u': { uid: 5 },
  '/home/u/link': { link: '/run', uid: 5 },
  '/home/u/roots': { link: '/run', uid: 0 },
  '/tmp': { mode: 0o1777 },
  '/tmp/link': { link: '/run' },
  '/base': { link: '/run' },
};

describe('the path without links', () => {
  test.each([
    ['/run/t', { path: '/run/t' }],
    ['/var/run/t', { path: '/run/t' }],
    ['/var/rel/t', { path: '/run/t' }],
    ['//run/./t/', { path: '/run/t' }],
    ['/', { path: '/' }],
    ['/run/none', { absent: true }],
    ['/home/u/link/t', { refused: '/home/u/link is a link' }],
    ['/home/u/roots/t', { refused: '/home/u/roots is a link' }],
    ['/tmp/link/t', { refused: '/tmp/link is a link' }],
    ['/var/loop/t', { refused: '/var/loop is a link' }],
    ['/run/../etc', { refused: 'its path contains ..' }],
    ['run', { refused: 'it is not an absolute path' }],
    ['/run/\0', { refused: 'it is not an absolute path' }],
  ])('%j', (path, expected) => {
    expect(canonical(path, 0, [], disk(NODES))).toEqual(expected);
  });

  test('whoever asks may have laid the link himself', () => {
    expect(canonical('/home/u/link/t', 5, [], disk(NODES))).toEqual({ path: '/run/t' });
  });

  test('to a place that was named any links lead, below it none', () => {
    expect(canonical('/base/t', 0, ['/base'], disk(NODES))).toEqual({ path: '/run/t' });
    const below = disk({ ...NODES, '/run/in': { link: '/home' } });
    expect(canonical('/base/in', 0, ['/base'], below)).toEqual({ refused: '/run/in is a link' });
  });

  test('what can’t be looked at is refused', () => {
    const look = {
      stat: () => {
        throw Object.assign(new Error(), { code: 'EACCES' });
      },
      linkTarget: () => undefined,
      realPath: () => undefined,
    };
    expect(canonical('/x', 0, [], new PathCache(look))).toEqual({
      refused: 'its path cannot be checked: permission denied',
    });
  });
});

test('no link of somebody else is ever on a way that is answered', () => {
  const name = fc.constantFrom('a', 'b', 'c');
  const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => `/${names.join('/')}`);
  const node = fc.record({ link: fc.option(path, { nil: undefined }), uid: fc.constantFrom(0, 5) });
  fc.assert(
    fc.property(fc.dictionary(path, node, { maxKeys: 12 }), path, (nodes, asked) => {
      const hostile = new Set(
        Object.entries(nodes).flatMap(([each, { link, uid }]) => (link && uid === 5 ? [each] : [])),
      );
      const looked: string[] = [];
      const known = disk(nodes);
      const spied = new PathCache({
        stat: (each) => known.stat(each, false),
        linkTarget: (each) => {
          looked.push(each);
          return known.linkTarget(each);
        },
        realPath: () => undefined,
      });
      const found = canonical(asked, 0, [], spied);
      if (!('path' in found)) return;
      for (const each of looked) expect(hostile.has(each)).toBe(false);
      expect(nodes[found.path]?.link).toBeUndefined();
    }),
  );
});
