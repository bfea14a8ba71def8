import { writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Json } from '../../src/config/document.js';
import { evaluate } from '../../src/config/evaluate.js';
import { loadConfig } from '../../src/config/load.js';
import type { Type } from '../../src/config/model.js';
import { createSession } from '../../src/config/session.js';
import type { Setting } from '../../src/config/settings.js';
import { placeForEach } from '../e2e/harness.js';

const place = placeForEach();
const { schema } = createSession();

async function settings(task: object): Promise<readonly Setting[]> {
  const path = `${place.path}/task.json`;
  writeFileSync(path, JSON.stringify(task));
  const config = await loadConfig(path, {
    environment: {},
    cwd: place.path,
    print: () => {},
    python: () => Promise.reject(new Error('not Python')),
  });
  return evaluate(config, { bindings: [], ports: new Map(), hostname: 'h' }).settings;
}

const PROCESS = { name: 'p', cmdline: 'true' };
const NAMES = { name: 'T', processes: [PROCESS] };

/** Every setting below a type, with a value that is not its default. */
function* unusual(type: Type, at: string[] = []): Generator<[path: string[], value: Json]> {
  if (type.kind !== 'Struct') return;
  for (const { name, type: inner, default: usual } of type.fields.values()) {
    const path = [...at, name];
    const raw = usual?.kind === 'simple' ? usual.raw : undefined;
    if (inner.kind === 'Struct') yield* unusual(inner, path);
    else if (inner.kind === 'Boolean') yield [path, raw !== true];
    else if (inner.kind === 'Enum') yield [path, inner.values.find((value) => value !== raw) as string];
    else if (inner.kind === 'Integer' || inner.kind === 'Float') yield [path, Number(raw ?? 0) + 7];
    else if (inner.kind === 'String' && name !== 'name' && name !== 'cmdline') yield [path, 'other'];
  }
}

/** The object that has only this value, and what its structs cannot be without. */
function objectWith([name = '', ...rest]: string[], value: Json): { [name: string]: Json } {
  if (rest.length === 0) return { [name]: value };
  const inner = objectWith(rest, value);
  return { [name]: name === 'resources' ? { cpu: 1, ram: 1 << 20, disk: 1 << 20, ...inner } : inner };
}

describe('every setting that is not the default is found', () => {
  const ofTask = [...unusual(schema.task)];
  const ofProcess = [...unusual(schema.process)];

  test('of those that the schema has', () => {
    const names = (all: typeof ofTask) => all.map(([path]) => path.join('.'));
    expect(names(ofTask)).toEqual(expect.arrayContaining(['max_concurrency', 'user', 'resources.gpu']));
    expect(names(ofProcess)).toEqual(
      expect.arrayContaining(['daemon', 'logger.rotate.backups', 'resources.cpu']),
    );
  });

  test.each(ofTask)('task: %j %j', async (path, value) => {
    const found = await settings({ ...NAMES, ...objectWith(path, value) });
    expect(found).toContainEqual(expect.objectContaining({ name: path.join('.'), value }));
    expect(
      found.every(
        ({ process, name }) => process !== undefined || name === 'name' || name.startsWith(path[0] ?? ''),
      ),
    ).toBe(true);
  });

  test.each(ofProcess)('process: %j %j', async (path, value) => {
    const found = await settings({ ...NAMES, processes: [{ ...PROCESS, ...objectWith(path, value) }] });
    expect(found).toContainEqual(expect.objectContaining({ process: 'p', name: path.join('.'), value }));
  });
});

test('defaults are not settings, even if the config says them', async () => {
  const logger = { destination: 'file', mode: 'standard', rotate: { log_size: 100 << 20 } };
  const found = await settings({
    ...NAMES,
    max_failures: 1,
    processes: [{ ...PROCESS, daemon: false, logger }],
  });
  expect(found.map(({ name }) => name)).toEqual(['name', 'cmdline', 'name']);
});

test('a default is shown beside the value', async () => {
  const found = await settings({ ...NAMES, processes: [{ ...PROCESS, logger: { mode: 'rotate' } }] });
  expect(found).toContainEqual({ process: 'p', name: 'logger.mode', value: 'rotate', default: 'standard' });
});
