import { symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ANSWER_MS, attempt, isOwnLink } from './attempt.js';
import type { CommandName } from './commands.js';
import { Exchange } from './exchange.js';
import { Lanes } from './lane.js';
import { give, OWNER, ROLES, type RoleName, role } from './tree.js';

/*
 * While a command runs, the task's user exchanges one thing of the task for a link to the same of somebody else, back
 * and forth as fast as it goes: nothing outside is touched. `npm test` tries a few of each, `npm run test:hostile` 500
 * of each command.
 */
const EXCHANGED: readonly RoleName[] = ['checkpoint', 'runner', 'log-dir', 'sandbox', 'task-file'];
const COMMANDS: Record<string, readonly CommandName[]> = {
  kill: ['kill-now', 'kill'],
  run: ['run', 'run-again', 'run-as-owner', 'run-again-as-owner'],
  gc: ['gc-yes', 'gc-orphan'],
  tail: ['tail'],
};
/** Of each command, over all that is exchanged. */
const TIMES = process.env.HOSTILE_FULL === undefined ? 12 : 500;

let lanes: Lanes;
beforeAll(async () => {
  lanes = await Lanes.open(1);
});
afterAll(() => lanes.close());

describe.each(Object.entries(COMMANDS))('%s', (_, commands) => {
  test.each(EXCHANGED)(
    'beside an exchange of %s',
    async (name) => {
      let exchanges = 0;
      const faults = new Map<string, number>();
      for (let i = 0; i < TIMES / EXCHANGED.length; i++) {
        const command = commands[i % commands.length] as CommandName;
        const found = await lanes.try((lane) =>
          attempt(lane, command, {
            inSandbox: role(name).inSandbox && name !== 'sandbox',
            async begin(victim) {
              const path = ROLES[name].path(victim);
              const link = join(dirname(path), `.${name}`);
              symlinkSync(ROLES[name].path(lane.twin), link);
              give(link, OWNER);
              const exchange = await Exchange.start(path, link);
              return async () => {
                exchanges += await exchange.stop();
              };
            },
          }),
        );
        for (const fault of found) {
          if (isOwnLink(command, name, fault)) continue;
          const line = `${command}: ${fault}`;
          faults.set(line, (faults.get(line) ?? 0) + 1);
        }
      }
      const lines = [...faults].map(([fault, times]) => `${times} times ${fault}`);
      if (lines.length > 0) expect.fail(lines.join('\n'));
      // How many there are depends on the machine, and a command that removes the task ends them before its own end.
      expect(exchanges).toBeGreaterThan(0);
    },
    10 * TIMES * ANSWER_MS,
  );
});
