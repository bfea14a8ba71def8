import { expect, test } from 'vitest';
import { placesOf } from '../../src/app/report.js';
import { foundTask } from '../task/trees.js';

test('each task has a place of its own, the first of an id that of the id', () => {
  const tasks = [
    foundTask('/a', 'web'),
    foundTask('/b', 'web'),
    foundTask('/c', 'web'),
    foundTask('/b', 'other'),
  ];
  const places = placesOf(tasks).map(({ names }) => names.join('/'));
  expect(places[0]).toBe('task/web');
  expect(places[1]).toMatch(/^task\/web\/root-[0-9a-f]{12}$/);
  expect(places[3]).toBe('task/other');
  expect(new Set(places).size).toBe(4);
  // The place of a root does not depend on the others.
  expect(placesOf([tasks[0], tasks[2]].filter((task) => task !== undefined))[1]?.names).toEqual(
    placesOf(tasks)[2]?.names,
  );
});
