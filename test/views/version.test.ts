import { expect, test } from 'vitest';
import { versionText } from '../../src/views/version.js';

const INSIDE = {
  version: '1.2.3',
  node: 'v24.21.0',
  v8: '13.6',
  pyodide: '314.0.7',
  cpython: '3.14.2',
  place: '/opt/thermos/lib/thermos',
} as const;

test('the version alone is one word', () => {
  expect(versionText({ version: '1.2.3', node: 'v24.21.0' })).toBe('thermos/1.2.3\n');
});

test('what a release consists of has a line for each part', () => {
  const facts = { form: 'tarball', commit: 'c37c5dd00000', built: '2026-11-27T10:00:00Z' } as const;
  expect(versionText({ ...INSIDE, ...facts, coordinator: 'native' })).toBe(`thermos/1.2.3
Form:         the archive, with its own Node
Place:        /opt/thermos/lib/thermos
Commit:       c37c5dd00000
Built:        2026-11-27T10:00:00Z
Node:         v24.21.0, V8 13.6
Python:       CPython 3.14.2, by Pyodide 314.0.7
Coordinator:  the program in C
`);
});

test('a build of the repository names no commit', () => {
  expect(versionText({ ...INSIDE, form: 'source', coordinator: 'js' })).toBe(`thermos/1.2.3
Form:         a build of the repository
Place:        /opt/thermos/lib/thermos
Node:         v24.21.0, V8 13.6
Python:       CPython 3.14.2, by Pyodide 314.0.7
Coordinator:  Node
`);
});
