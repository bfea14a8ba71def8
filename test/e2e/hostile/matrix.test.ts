import { availableParallelism } from 'node:os';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { thermos } from '../harness.js';
import { COMMANDS } from './commands.js';
import { Lanes } from './lane.js';
import { commands, covering, faults, kinds, matching, nameOf, product, roles, sound } from './matrix.js';
import { TaskPlaces, VICTIM } from './tree.js';

/*
 * Something hostile in every place of a task's files, and every command over it: an answer in time, an exit code that
 * the help has, nothing outside touched. `npm test` takes a part in which every two of them meet;
 * `npm run test:hostile` takes all; HOSTILE_CELL=ROLE/KIND/COMMAND (`*` for any) takes some.
 */
const { HOSTILE_CELL, HOSTILE_FULL } = process.env;
const chosen = HOSTILE_CELL
  ? matching(HOSTILE_CELL)
  : [...sound(), ...(HOSTILE_FULL ? product() : covering())];

const NOWHERE = { root: '/', config: '/', victim: new TaskPlaces('/', VICTIM, 'active') };

let lanes: Lanes;
beforeAll(async () => {
  lanes = await Lanes.open(Math.min(4, Math.max(2, availableParallelism())));
});
afterAll(() => lanes.close());

test('every two of role, kind and command meet in the part that is always tried', () => {
  const pairs = covering().flatMap(({ role, kind, command }) => [
    `${role} ${kind}`,
    `${role} ${command}`,
    `${kind} ${command}`,
  ]);
  const all = roles.length * kinds.length + roles.length * commands.length + kinds.length * commands.length;
  expect(new Set(pairs).size).toBe(all);
});

test('the exit codes that are taken for an answer are those of the help', () => {
  const names = new Set(commands.map((name) => COMMANDS[name].args(NOWHERE)[0] as string));
  names.delete('__complete');
  for (const name of names) {
    const { stdout } = thermos([name, '--help']);
    const told = (stdout.split('EXIT CODES')[1] ?? '').split('ENVIRONMENT')[0] as string;
    const codes = [...told.matchAll(/^ {2}(\d+) {2}/gm)].map(([, code]) => Number(code));
    const taken = commands.filter((each) => COMMANDS[each].args(NOWHERE)[0] === name);
    for (const each of taken)
      expect([each, codes]).toEqual([each, expect.arrayContaining([...COMMANDS[each].exits])]);
  }
});

describe.concurrent('role/kind/command', () => {
  for (const cell of chosen) {
    test(nameOf(cell), async () => {
      const found = await lanes.try((lane) => faults(lane, cell));
      if (found.length > 0) expect.fail(found.join('\n'));
    });
  }
});
