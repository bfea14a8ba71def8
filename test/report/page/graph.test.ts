import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { layoutGraph, MOST_EDGES, NODE, ranksOf } from '../../../src/report/page/graph.js';

const edges = (nodes: number) =>
  fc.array(
    fc.record({ from: fc.integer({ min: -1, max: nodes }), to: fc.integer({ min: -1, max: nodes }) }),
    { maxLength: 40 },
  );

test.each([12, 130])('no two nodes of %i lie on each other, whatever waits for what', (nodes) => {
  fc.assert(
    fc.property(edges(nodes), (list) => {
      const { places, width, height } = layoutGraph(nodes, list);
      expect(places).toHaveLength(nodes);
      const corners = new Set(places.map(({ x, y }) => `${Math.round(x)} ${Math.round(y)}`));
      expect(corners.size).toBe(nodes);
      for (const { x, y } of places) {
        expect(x).toBeGreaterThanOrEqual(0);
        expect(y).toBeGreaterThanOrEqual(0);
        expect(x + NODE.width).toBeLessThanOrEqual(width);
        expect(y + NODE.height).toBeLessThanOrEqual(height);
      }
    }),
    { numRuns: nodes > 100 ? 50 : 30 },
  );
});

describe('ranks', () => {
  test('are the lengths of the longest ways', () => {
    const diamond = [
      { from: 0, to: 1 },
      { from: 1, to: 2 },
      { from: 0, to: 2 },
      { from: 2, to: 3 },
    ];
    expect(ranksOf(5, diamond)).toEqual([0, 1, 2, 3, 0]);
  });

  test('rise along every edge that is not in a circle', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(30), fc.nat(30)), { maxLength: 80 }), (pairs) => {
        const forward = pairs.flatMap(([a, b]) =>
          a === b ? [] : [{ from: Math.min(a, b), to: Math.max(a, b) }],
        );
        const ranks = ranksOf(31, forward);
        for (const { from, to } of forward) expect(ranks[to]).toBeGreaterThan(ranks[from] as number);
      }),
    );
  });

  test('are the last ones for a circle and for what waits for it', () => {
    const circle = [
      { from: 0, to: 1 },
      { from: 2, to: 3 },
      { from: 3, to: 2 },
      { from: 3, to: 4 },
    ];
    expect(ranksOf(5, circle)).toEqual([0, 1, 2, 2, 2]);
  });
});

test('a graph with too many edges for dagre is drawn by ranks, with as many of them as there is room for', () => {
  const all = Array.from({ length: 60 }, (_, from) =>
    Array.from({ length: 59 - from }, (_, i) => ({ from, to: from + i + 1 })),
  ).flat();
  const { edges, undrawn, places } = layoutGraph(60, all);
  expect(all).toHaveLength(1770);
  expect([edges.length, undrawn]).toEqual([MOST_EDGES, 1770 - MOST_EDGES]);
  expect(new Set(places.map(({ x }) => x)).size).toBe(60);
});
