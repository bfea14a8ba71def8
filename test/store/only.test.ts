import { expect, test } from 'vitest';
import { importedFrom, SOURCES } from '../sources.js';

/** The modules of Node that reach the file system by a path or a descriptor. */
const FILE_SYSTEM = /^(?:node:)?fs(?:\/promises)?$/;

/** The rooms that are there for it: files of others, and the operating system. */
const ROOMS = ['store', 'host'];

/** By file: which functions it may call though it is in another room, and why. */
const EXCEPTIONS: Readonly<Record<string, { functions: string; why: string }>> = {
  'checkpoint/writer.ts': {
    functions: 'fdatasync fdatasyncSync fstatSync ftruncateSync writeSync',
    why: 'appends to the descriptor that the store opened and its caller has locked',
  },
  'cli/confirm.ts': { functions: 'readSync', why: 'hears the answer of the person at the terminal' },
  'cli/inside.ts': { functions: 'readFileSync', why: "the package's own file" },
  'cli/main.ts': {
    functions: 'closeSync fstatSync openSync readFileSync writeSync',
    why: "loads the program's own files and their code cache before there is a store; writes to stdout",
  },
  'cli/terminal.ts': {
    functions: 'closeSync constants fstatSync openSync writeSync',
    why: 'stdout and stderr, and whether somebody reads them',
  },
  'cli/report.ts': { functions: 'readFileSync', why: "the program's own viewer" },
  'commands/run-daemon.ts': {
    functions: 'closeSync openSync writeSync',
    why: 'stdin becomes /dev/null; the answer goes to the descriptor that its starter left it',
  },
  'config/python/code.ts': { functions: 'readFileSync', why: "the package's own files" },
  'config/python/host-files.ts': {
    functions: 'closeSync constants fstatSync lstatSync openSync readSync readdirSync readlinkSync',
    why: 'what a config includes, as the person who evaluates it may read it',
  },
  'config/python/make-snapshot.ts': { functions: 'writeFileSync', why: 'a part of the build' },
  'config/python/snapshot.ts': {
    functions: 'closeSync fstatSync openSync readSync readvSync',
    why: "the package's own files",
  },
  'config/python/wasm.ts': { functions: 'readFile', why: "the package's own files" },
  'gc/apply.ts': { functions: 'fstatSync', why: 'directories that the store opened' },
  'gc/exclusive.ts': { functions: 'closeSync fstatSync', why: 'descriptors that the store opened' },
  'gc/remove.ts': { functions: 'rmdirSync unlinkSync', why: 'removes, by descriptors of the store' },
  'lifecycle/finish.ts': {
    functions: 'lstatSync lutimesSync mkdirSync renameSync',
    why: 'moves the task file, by descriptors of the store',
  },
  'lifecycle/task-streams.ts': { functions: 'ftruncateSync', why: 'streams that the store opened' },
  'runner/coordinator/coordinate.ts': {
    functions: 'closeSync openSync readSync writeSync',
    why: 'pipes to its starter, and the descriptors of the command',
  },
  'runner/coordinator/log-directory.ts': {
    functions: 'closeSync constants fchownSync fstatSync openSync',
    why: 'makes log directories by descriptors, and gives them to the user',
  },
  'runner/coordinator/log-writer.ts': {
    functions: 'closeSync fstatSync ftruncateSync openSync renameSync writeSync',
    why: 'writes and rotates logs as the user of the task',
  },
  'runner/coordinator/pump.ts': {
    functions: 'closeSync constants openSync readSync rmSync unlinkSync',
    why: 'pipes from the command',
  },
  'runner/launch.ts': { functions: 'closeSync ftruncateSync', why: 'descriptors that the store opened' },
  'runner/open.ts': { functions: 'ftruncateSync', why: 'cuts the stream that the store opened' },
  'runner/sandbox.ts': {
    functions: 'accessSync chownSync closeSync constants mkdirSync',
    why: 'makes sandboxes: as root by descriptors of the store, else as the user',
  },
  'runner/runner-root.ts': {
    functions: 'accessSync constants mkdirSync renameSync rmdirSync unlinkSync',
    why: 'makes and moves what a runner needs, by descriptors',
  },
  'runner/wakeups.ts': { functions: 'futimesSync', why: 'touches the stream that the store opened' },
};

test.each(SOURCES.filter(({ path }) => !ROOMS.includes(path.split('/')[0] as string)))(
  '$path asks the store for what others may have written',
  ({ path, source }) => {
    expect(importedFrom(source, FILE_SYSTEM).join(' ')).toBe(EXCEPTIONS[path]?.functions ?? '');
  },
);

test('every exception is one of a file that is there', () => {
  const paths = new Set(SOURCES.map(({ path }) => path));
  expect(Object.keys(EXCEPTIONS).filter((path) => !paths.has(path))).toEqual([]);
});

test.each([
  ["import { openSync, readSync as read, type Stats } from 'node:fs';", 'openSync readSync'],
  ["import type { Stats } from 'node:fs';", ''],
  ["import fs from 'fs';", '*'],
  ["import * as fs from 'node:fs';", '*'],
  ["import 'node:fs';", '*'],
  ["import fs, { openSync } from 'node:fs';", '* openSync'],
  ["import { readFile } from 'node:fs/promises';", 'readFile'],
  ["export { readFileSync } from 'node:fs';", 'readFileSync'],
  ["export * from 'node:fs';", '*'],
  ["const fs = require('node:fs');", '*'],
  ["const fs = await import('node:fs');", '*'],
  ["const fs = process.getBuiltinModule('node:fs');", '*'],
  ["const fs: typeof import('node:fs') = files;", ''],
  ["import { join } from 'node:path';", ''],
])('%s', (source, names) => {
  expect(importedFrom(source, FILE_SYSTEM).join(' ')).toBe(names);
});
