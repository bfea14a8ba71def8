import { expect, test } from 'vitest';
import { jsonPieces } from '../../src/cli/json-pieces.js';

const DOCUMENTS: [string, object][] = [
  ['an empty document', {}],
  ['empty lists', { tasks: [], problems: [] }],
  [
    'all kinds of values',
    { a: null, b: true, c: 1.5, d: 'é\u001b"\ud83d\ude00\ud83d', e: { f: [1, { g: [] }] } },
  ],
  ['what is unset', { a: undefined, b: 1, c: [undefined, { d: undefined }], e: undefined }],
  ['keys to be escaped', { '"a\n': [1], 'b\\': { '"': 2 } }],
  ['many tasks', { tasks: Array.from({ length: 5000 }, (_, i) => ({ i, id: 'x'.repeat(40) })), end: 1 }],
];

test.each(DOCUMENTS)('%s: as JSON.stringify has it', (_, document) => {
  const pieces = [...jsonPieces(document)];
  expect(pieces.join('')).toBe(`${JSON.stringify(document)}\n`);
  for (const piece of pieces) expect(piece.length).toBeLessThan(100_000);
});
