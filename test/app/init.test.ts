import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { writeExample } from '../../src/app/init.js';
import { EXAMPLE } from '../../src/config/example.js';
import { ThermosError } from '../../src/errors/errors.js';
import { placeForEach } from '../e2e/harness.js';

const place = placeForEach();

const write = (name: string, options: { force?: boolean; umask?: number } = {}) =>
  writeExample(name === '' ? '' : join(place.path, name), { force: false, now: 0, umask: 0o022, ...options });

/** CODE EXIT: MESSAGE */
function failure(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (!(error instanceof ThermosError)) throw error;
    return `${error.code} ${error.exitCode}: ${error.message}`.replace(place.path, 'DIR');
  }
  throw new Error('it did not fail');
}

test('the example is written, with the permissions that the umask leaves, and nothing else', () => {
  expect(write('é.thermos')).toEqual({
    path: join(place.path, 'é.thermos'),
    bytes: Buffer.byteLength(EXAMPLE),
  });
  expect(readFileSync(join(place.path, 'é.thermos'), 'utf8')).toBe(EXAMPLE);
  write('own.thermos', { umask: 0o077 });
  const mode = (name: string) => statSync(join(place.path, name)).mode & 0o777;
  expect([mode('é.thermos'), mode('own.thermos')]).toEqual([0o644, 0o600]);
  expect(readdirSync(place.path).sort()).toEqual(['own.thermos', 'é.thermos']);
});

test('what exists is replaced only with force, and no link is followed', () => {
  const old = join(place.path, 'old');
  writeFileSync(old, 'old');
  symlinkSync('old', join(place.path, 'link'));
  symlinkSync('nowhere', join(place.path, 'dangling'));
  for (const name of ['old', 'link', 'dangling']) {
    expect(failure(() => write(name))).toBe(`config-exists 2: DIR/${name} exists, and is not overwritten`);
  }
  write('link', { force: true });
  expect(readFileSync(join(place.path, 'link'), 'utf8')).toBe(EXAMPLE);
  expect(readFileSync(old, 'utf8')).toBe('old');
  write('old', { force: true });
  expect(readFileSync(old, 'utf8')).toBe(EXAMPLE);
  expect(readdirSync(place.path).sort()).toEqual(['dangling', 'link', 'old']);
});

test('what cannot be a config in Python is refused, and what cannot be written', () => {
  mkdirSync(join(place.path, 'directory'));
  for (const name of ['a.json', 'a.aurora']) {
    expect(failure(() => write(name, { force: true }))).toMatch(
      /^usage 2: a file that ends in \.\w+ is not read as/,
    );
  }
  expect(failure(() => write('directory', { force: true }))).toBe(
    "usage 2: 'DIR/directory' is not a name for a file",
  );
  expect(failure(() => write(''))).toBe("usage 2: '' is not a name for a file");
  expect(failure(() => write('missing/a'))).toBe(
    'config-unwritable 5: cannot write DIR/missing/a: no such file or directory',
  );
});
