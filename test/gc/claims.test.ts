import { describe, expect, test } from 'vitest';
import { Claims } from '../../src/gc/claims.js';

describe('claims', () => {
  const [a, b, c] = [{}, {}, {}];

  test('the own ones, and those beside, are none', () => {
    const claims = new Claims();
    claims.add('/s/a', a, 'a');
    claims.add('/s/a/.logs', a, 'a');
    claims.add('/s/ab', b, 'b');
    claims.add('/s/a-b', b, 'b');
    expect(claims.on('/s/a', a)).toBeUndefined();
  });

  test.each([
    ['the same', '/s/a'],
    ['inside', '/s/a/in/it'],
    ['around', '/s'],
    ['the top', '/'],
  ])('%s', (_, path) => {
    const claims = new Claims();
    claims.add('/s/a', a, 'a');
    claims.add(path, b, 'b');
    expect(claims.on('/s/a', a)).toMatchObject({ path, by: 'b' });
  });

  test('a place that several share is nobody’s', () => {
    const claims = new Claims();
    for (const [by, task] of Object.entries({ a, b, c })) claims.add('/s', task, by);
    for (const task of [a, b, c]) expect(claims.on('/s', task)).toBeDefined();
  });
});
