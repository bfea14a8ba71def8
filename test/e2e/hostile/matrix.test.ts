import { availableParallelism } from 'node:os';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Lane } from './lane.js';
import {
  type Cell,
  commands,
  covering,
  faults,
  kinds,
  matching,
  nameOf,
  product,
  roles,
  sound,
} from './matrix.js';

/*
 * Something hostile in every place of a task's files, and every command over it: an answer in time, an exit code that
 * the help has, nothing outside touched. `npm test` takes a part in which every two of them meet;
 * `npm run test:hostile` takes all; HOSTILE_CELL=ROLE/KIND/COMMAND (`*` for any) takes some.
 */
const { HOSTILE_CELL, HOSTILE_FULL } = process.env;
const chosen = HOSTILE_CELL
  ? matching(HOSTILE_CELL)
  : [...sound(), ...(HOSTILE_FULL ? product() : covering())];

const free: Lane[] = [];
const lanes: Lane[] = [];
const waiting: ((lane: Lane) => void)[] = [];

beforeAll(async () => {
  const count = Math.min(4, Math.max(2, availableParallelism()));
  lanes.push(...(await Promise.all(Array.from({ length: count }, () => Lane.open()))));
  free.push(...lanes);
});
afterAll(() => {
  for (const lane of lanes) lane.close();
});

/** Each lane has one cell at a time, so that what happens to its bystanders is that cell's doing. */
async function tried(cell: Cell): Promise<string[]> {
  let lane = free.pop() ?? (await new Promise<Lane>((resolve) => waiting.push(resolve)));
  try {
    const found = await faults(lane, cell);
    if (found.length > 0) {
      // Something that must not change may have, and is not to be the next cell's fault.
      lane.close();
      lane = await Lane.open();
      lanes.push(lane);
    }
    return found;
  } finally {
    const next = waiting.shift();
    if (next === undefined) free.push(lane);
    else next(lane);
  }
}

test('every two of role, kind and command meet in the part that is always tried', () => {
  const pairs = covering().flatMap(({ role, kind, command }) => [
    `${role} ${kind}`,
    `${role} ${command}`,
    `${kind} ${command}`,
  ]);
  const all = roles.length * kinds.length + roles.length * commands.length + kinds.length * commands.length;
  expect(new Set(pairs).size).toBe(all);
});

describe.concurrent('role/kind/command', () => {
  for (const cell of chosen) test(nameOf(cell), async () => expect(await tried(cell)).toEqual([]));
});
