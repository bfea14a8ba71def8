import { spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { cleanEnv, PROGRAM, placeForEach } from '../e2e/harness.js';
import { HAS_NATIVE } from '../runner/harness.js';

const place = placeForEach();

/** A user without other processes on this machine, because they are counted; another one in another run of the tests. */
const UID = 61_000 + (process.pid % 4_000);

/** Runs twelve processes at once and a final one under a limit of the shell. */
function runUnder(limit: string, uid?: number) {
  const names = Array.from({ length: 12 }, (_, i) => `p${i}`);
  const processes = [
    // No child of the command's own, which it could not have either.
    ...names.map((name) => ({ name, cmdline: `echo ${name} >> ran; exec sleep 0.2`, min_duration: 0 })),
    { name: 'last', cmdline: 'echo last >> ran', final: true, min_duration: 0 },
  ];
  const home = join(place.path, 'home');
  mkdirSync(home, { recursive: true });
  if (uid !== undefined) chownSync(home, uid, uid);
  writeFileSync(join(place.path, 'many.json'), JSON.stringify({ name: 'many', processes }));
  const sandbox = join(home, 'sandbox');
  const task = ['--json', '--root', join(home, 'root'), '--task-id', 't', '--sandbox', sandbox];
  const words = [process.execPath, PROGRAM, 'run', ...task, join(place.path, 'many.json')];
  const { status, stdout, stderr } = spawnSync('bash', ['-c', `${limit}; exec "$@"`, 'bash', ...words], {
    encoding: 'utf8',
    env: cleanEnv({ THERMOS_COORDINATOR: HAS_NATIVE ? 'native' : 'js', HOME: home, THERMOS_PATIENCE: '60' }),
    ...(uid !== undefined && { uid, gid: uid }),
  });
  const ran = join(sandbox, 'ran');
  const done = existsSync(ran) ? readFileSync(ran, 'utf8').split('\n').filter(Boolean) : [];
  return { status, stdout, stderr, ran: done.sort(), all: [...names, 'last'].sort() };
}

test('twelve processes all run, one after the other, where few processes may be at once', () => {
  if (process.getuid?.() !== 0 || !HAS_NATIVE) return;
  const { status, stdout, stderr, ran, all } = runUnder('ulimit -u 18', UID);
  expect({ status, stderr: stderr.replace(/^(warning|hint): .*\n/gm, '') }).toEqual({
    status: 0,
    stderr: '',
  });
  expect(ran).toEqual(all);
  expect(stdout).not.toMatch(/"state":"(FAILED|KILLED)"/);
});

test('few open files stop it with what to do, and it is resumed where there are more', () => {
  const { status, stdout } = runUnder('ulimit -n 26; export THERMOS_PATIENCE=0.2');
  expect(status).toBe(5);
  const { error } = JSON.parse(stdout);
  expect(error).toMatchObject({ message: expect.stringContaining('too many open files') });
  expect(error.hint).toContain('raise the limit of open files (ulimit -n)');
  const again = runUnder(':');
  expect(again.status).toBe(0);
  expect(again.ran).toEqual(again.all);
});
