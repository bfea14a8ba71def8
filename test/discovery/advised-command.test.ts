import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { visibleIds } from '../../src/cli/page.js';
import { COMMANDS } from '../../src/commands/index.js';
import { givenRoots, hostCommand, rootFlagsOf, thermosCommand } from '../../src/discovery/advised-command.js';
import type { TaskRoot } from '../../src/discovery/found.js';
import { SOURCES } from '../sources.js';

const root = (given: Partial<TaskRoot>): TaskRoot => ({
  path: '/srv/r',
  layout: 'host',
  source: 'default',
  readable: true,
  ...given,
});

test('names the roots and then the arguments', () => {
  expect(thermosCommand(['status'], {})).toBe('thermos status');
  expect(
    thermosCommand(['gc', '--dry-run'], { root: ['/a b', '/c'], mesosRoot: ["/m's"] }, ['x', 'y z']),
  ).toBe("thermos gc --dry-run --root '/a b' --root /c --mesos-root '/m'\\''s' x 'y z'");
  expect(thermosCommand(['kill'], {}, ['-x'])).toBe('thermos kill -- -x');
});

test('agents are named with the flags that they are asked with; no other root needs these', () => {
  const agent = { id: 'S0', url: 'https://agent-1:5051', hostname: 'agent-1' };
  const access = ['--ca', '/etc/our ca.pem'];
  const remote = root({ source: 'agent', agent, access });
  const command = thermosCommand(['inspect'], rootFlagsOf(remote, remote), ['web']);
  expect(command).toBe("thermos inspect --agent https://agent-1:5051 --ca '/etc/our ca.pem' web");
  expect(thermosCommand(['roots'], { master: ['m:5050'], access })).toBe(
    "thermos roots --master m:5050 --ca '/etc/our ca.pem'",
  );
  expect(thermosCommand(['roots'], { access })).toBe('thermos roots');
  expect(hostCommand(remote, ['kill'], ["a'b"])).toBe(
    `ssh -- agent-1 'thermos kill '\\''a'\\''\\'\\'''\\''b'\\'''`,
  );
  expect(hostCommand(root({ source: '--root' }), ['kill'], ['a'])).toBe('thermos kill --root /srv/r a');
});

test('only roots that no command finds by itself need a flag, each once', () => {
  const run_dir = '/m/slaves/S/frameworks/F/executors/E/runs/R';
  expect(rootFlagsOf(root({}), root({ source: 'THERMOS_ROOT' }), root({ source: 'user' }))).toEqual({
    root: [],
    mesosRoot: [],
  });
  expect(rootFlagsOf(root({ source: '--root' }), root({ source: 'cwd' })).root).toEqual(['/srv/r']);
  expect(rootFlagsOf(root({ source: 'argument', run_dir })).mesosRoot).toEqual([run_dir]);
  const named = root({ source: '--mesos-root', run_dir, named: '/m' });
  expect(rootFlagsOf(named, named)).toEqual({ root: [], mesosRoot: ['/m'] });
});

test('relative flags are made absolute: the command may be pasted elsewhere', () => {
  expect(givenRoots({ flags: { root: ['r', '/s'] }, cwd: '/home/me' })).toEqual({
    root: ['/home/me/r', '/s'],
    mesosRoot: undefined,
  });
});

test('bash reads any names as they are', () => {
  const name = fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => !text.includes('\0'));
  fc.assert(
    fc.property(name, fc.array(name, { minLength: 1 }), (path, names) => {
      const command = thermosCommand(['gc'], { root: [path] }, names);
      const script = `thermos() { printf '%s\\0' "$@"; }; ${command}`;
      const { stdout } = spawnSync('bash', ['-c', script], { encoding: 'utf8', env: { LC_ALL: 'C.UTF-8' } });
      const dashes = names.some((each) => each.startsWith('-')) ? ['--'] : [];
      expect(stdout.split('\0').slice(0, -1)).toEqual(['gc', '--root', path, ...dashes, ...names]);
    }),
    { numRuns: 30 },
  );
});

test('no other place writes a command with names in it', () => {
  const byHand = new RegExp(`thermos (?:${visibleIds(COMMANDS).join('|')})\\b[^\\n]*\\$\\{`);
  // What help says of a command comes from its class.
  const others = SOURCES.filter(({ path }) => !path.startsWith('commands/'));
  expect(others.filter(({ source }) => byHand.test(source)).map(({ path }) => path)).toEqual([]);
  expect(byHand.test(['end it: thermos kill $', '{task_id}'].join(''))).toBe(true);
});
