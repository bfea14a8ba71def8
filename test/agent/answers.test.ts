import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  bytesOf,
  isBefore,
  MOST,
  parseAgentState,
  parseAgents,
  parseListing,
  parsePiece,
} from '../../src/agent/answers.js';

const RUN = '/var/lib/mesos/slaves/S0/frameworks/F/executors/thermos-web-0/runs/c1';

const stateOf = (executors: unknown, completed: unknown = []) => ({
  id: 'S0',
  pid: 'slave(1)@10.0.0.1:5051',
  hostname: 'agent-1',
  version: '1.11.0',
  frameworks: [{ id: 'F', executors, completed_executors: completed }],
});

describe('the state of an agent', () => {
  test('has its runs, those that ended too, and of frameworks that ended', () => {
    const gone = RUN.replace('c1', 'c0');
    const old = RUN.replace('/F/', '/OLD/');
    const state = parseAgentState({
      ...stateOf([{ directory: RUN, tasks: [{ state: 'TASK_RUNNING' }] }], [{ directory: gone }]),
      completed_frameworks: [{ id: 'OLD', executors: [{ directory: old }], completed_executors: [] }],
    });
    expect(state).toEqual({
      id: 'S0',
      hostname: 'agent-1',
      version: '1.11.0',
      leftOut: 0,
      runs: [
        { directory: RUN, executorId: 'thermos-web-0', running: true, mesosState: 'TASK_RUNNING' },
        { directory: gone, executorId: 'thermos-web-0', running: false },
        { directory: old, executorId: 'thermos-web-0', running: false },
      ],
    });
  });

  test.each([
    ['/etc'],
    [`${RUN}/../../x`],
    [RUN.replace('c1', '..')],
    [`${RUN}/`],
    [RUN.slice(1)],
    [`${RUN}\0`],
    [42],
    [undefined],
    [`/${'x'.repeat(5000)}${RUN}`],
  ])('leaves out the run with the directory %j, and counts it', (directory) => {
    expect(parseAgentState(stateOf([{ directory }, 'x', null]))).toMatchObject({ runs: [], leftOut: 3 });
  });

  test('is not that of a master, nor of something else', () => {
    for (const answer of [{ ...stateOf([]), pid: 'master@10.0.0.1:5050' }, {}, [], null, 'x', undefined]) {
      expect(parseAgentState(answer)).toBeUndefined();
    }
  });

  test('has no more runs than any agent has', () => {
    const executors = Array.from({ length: MOST.executors + 2 }, (_, i) => ({ directory: `${RUN}${i}` }));
    const state = parseAgentState(stateOf(executors));
    expect(state?.runs.length).toBe(MOST.executors);
    expect(state?.leftOut).toBe(2);
  });
});

test('the agents of a master have the places where they may answer, by name and by address', () => {
  const slaves = [
    { id: 'S0', hostname: 'agent-1', pid: 'slave(1)@10.0.0.1:5051', port: 5051 },
    { id: 'S1', hostname: 'agent-2', pid: 'slave(1)@10.0.0.2:5052' },
    { id: 'S2', hostname: 'x y"><script>', pid: 'slave(1)@10.0.0.3:5051' },
    { id: 'S3', hostname: 'a/b', pid: 'none' },
    17,
  ];
  expect(parseAgents({ slaves })?.map(({ places }) => places)).toEqual([
    ['agent-1:5051', '10.0.0.1:5051'],
    ['agent-2:5052', '10.0.0.2:5052'],
    ['10.0.0.3:5051'],
  ]);
  expect(parseAgents({})).toBeUndefined();
});

describe('a listing', () => {
  const entry = (path: unknown) => ({ path, mode: '-rw-r--r--', size: 3, mtime: 5, uid: 'root' });

  test('has the entries of the directory that was asked for, and no others', () => {
    const answer = ['/d/a', '/d/b/c', '/d/..', '/d', '/e/a', '/d/', 7].map(entry);
    expect(parseListing(answer, '/d')).toEqual({
      complete: true,
      entries: [{ name: 'a', kind: 'file', mode: '-rw-r--r--', size: 3, mtimeMs: 5000, owner: 'root' }],
    });
  });

  test('takes names in UTF-8, however the version writes their bytes', () => {
    const raw = Buffer.from('/d/\u00fc\u20ac', 'utf8').toString('latin1');
    const private_ = raw.replace(/[\x80-\xff]/g, (byte) => String.fromCharCode(0xf700 + byte.charCodeAt(0)));
    for (const path of [raw, private_]) {
      expect(parseListing([entry(path)], '/d')?.entries[0]?.name).toBe('\u00fc\u20ac');
    }
  });

  test('is not complete if it is longer than any', () => {
    const answer = Array.from({ length: MOST.entries + 1 }, (_, i) => entry(`/d/${i}`));
    expect(parseListing(answer, '/d')).toMatchObject({ complete: false });
  });
});

test('a piece has all 256 bytes, however a browser has them', () => {
  const all = Array.from({ length: 256 }, (_, i) => i);
  const latin1 = String.fromCharCode(...all);
  const userDefined = String.fromCharCode(...all.map((byte) => (byte < 0x80 ? byte : 0xf700 + byte)));
  for (const data of [latin1, userDefined]) expect([...(parsePiece({ data }) as Buffer)]).toEqual(all);
  expect(parsePiece({ data: 'x'.repeat(MOST.pieceBytes + 1) })).toBeUndefined();
  expect(parsePiece({ data: 1 })).toBeUndefined();
});

test('no answer makes a parser throw', () => {
  fc.assert(
    fc.property(fc.anything({ maxDepth: 4 }), (answer) => {
      const json = JSON.parse(
        JSON.stringify(answer, (_, each) => (typeof each === 'bigint' ? 1 : each)) ?? 'null',
      );
      parseAgentState(json);
      parseAgentState({ frameworks: json });
      parseAgentState(stateOf(json, json));
      parseAgents(json);
      parseAgents({ slaves: json });
      parseListing(json, '/d');
      parsePiece(json);
    }),
  );
});

test('versions are compared by their numbers', () => {
  expect(isBefore('0.24.1', 0, 25)).toBe(true);
  expect(isBefore('0.25.0', 0, 25)).toBe(false);
  expect(isBefore('1.2.0', 0, 25)).toBe(false);
  expect(isBefore('', 0, 25)).toBe(false);
  expect(bytesOf('\uf7ff')[0]).toBe(255);
});
