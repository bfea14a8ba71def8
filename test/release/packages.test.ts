import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
// @ts-expect-error: no types
import { debPackage } from '../../scripts/release/deb.mjs';
// @ts-expect-error: no types
import { rpmPackage } from '../../scripts/release/rpm.mjs';
// @ts-expect-error: no types
import { MAINTAINER, template } from '../../scripts/release/system.mjs';
import { REPOSITORY } from '../e2e/harness.js';

const RELEASE = join(REPOSITORY, 'release');
const { version } = JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8'));
const DEB = join(RELEASE, `thermos_${version}-1_amd64.deb`);
const RPM = join(RELEASE, `thermos-${version}-1.x86_64.rpm`);

/** A tree of Debian, which is never changed: THERMOS_TEST_DEBIAN, or one that debootstrap makes. */
const KEPT = process.env.THERMOS_TEST_DEBIAN ?? join(REPOSITORY, 'node_modules/.cache/thermos-debian');

let place: string;
beforeAll(() => {
  place = mkdtempSync(join(tmpdir(), 'thermos-packages-'));
  chmodSync(place, 0o755);
  if (!existsSync(join(KEPT, 'etc/debian_version'))) {
    rmSync(KEPT, { recursive: true, force: true });
    run('debootstrap', '--variant=minbase', 'bookworm', KEPT);
  }
});
afterAll(() => rmSync(place, { recursive: true, force: true }));

function run(program: string, ...words: string[]): string {
  return execFileSync(program, words, {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** Both streams and the status, of a program that may fail. */
function tried(program: string, ...words: string[]) {
  const { stdout, stderr, status } = spawnSync(program, words, { encoding: 'utf8' });
  return { text: `${stdout}${stderr}`, status };
}

/** What lifecycle.sh says of a package in a copy of the tree. In the command lines, $R is the copy. */
function lifecycle(name: string, ...commands: string[]): string[] {
  const root = join(place, name);
  run('cp', '-a', '--reflink=auto', KEPT, root);
  const isolated = ['--mount', '--pid', '--fork', '--kill-child', '--propagation', 'private'];
  const script = join(import.meta.dirname, 'lifecycle.sh');
  // On stderr, Debian's rpm says each time that it is not for Debian.
  const { stdout, stderr, status } = spawnSync('unshare', [...isolated, 'sh', script, root, ...commands], {
    encoding: 'utf8',
  });
  expect([status, stdout, stderr]).toEqual([0, stdout, stderr]);
  return stdout.trim().split('\n');
}

const LIFE = [
  `installed: thermos/${version}`,
  'runner: yes',
  'started: ACTIVE',
  'upgraded: thermos/9.9.9',
  'config: {"gc": {"max_age": "9w"}}',
  'goes-on: ACTIVE',
  'log: first 0 stdout | went',
  'killed-by-newer: KILLED 0',
  'collected-by-newer: t',
  'removed: gone',
  'config: {"gc": {"max_age": "9w"}}',
  'task: coordinator.first coordinator.second runner starts',
  'lives: 1',
  'again: ACTIVE',
  'killed: KILLED',
  'left: 0',
];
const COLLECTED = [
  expect.stringMatching(/^no-limit: thermos-gc: .* has no limit: set gc.max_age/),
  'kept: t',
  expect.stringMatching(/^of-others: thermos-gc: .* is not used: others than root may write it/),
  'kept: t',
  'collected: 0',
];

describe('the package for Debian', () => {
  test('has what it should where it should be', () => {
    const content = run('dpkg-deb', '--contents', DEB)
      .trim()
      .split('\n')
      .map((line) => line.replace(/\s+/g, ' '));
    for (const file of [
      '-rwxr-xr-x root/root .* ./usr/bin/thermos',
      '-rwxr-xr-x root/root .* ./usr/lib/thermos/node',
      '-rw-r--r-- root/root .* ./etc/thermos/config.json',
      '-rw-r--r-- root/root .* ./usr/lib/systemd/system/thermos-gc.(service|timer)',
      '-rw-r--r-- root/root .* ./usr/share/man/man1/thermos-status.1.gz',
      '-rw-r--r-- root/root .* ./usr/share/man/man7/thermos-codes.7.gz',
      '-rw-r--r-- root/root .* ./usr/share/bash-completion/completions/thermos',
      '-rw-r--r-- root/root .* ./usr/share/zsh/vendor-completions/_thermos',
      '-rw-r--r-- root/root .* ./usr/share/fish/vendor_completions.d/thermos.fish',
      '-rw-r--r-- root/root .* ./usr/share/doc/thermos/(copyright|changelog.gz|changelog.Debian.gz|sbom.cdx.json)',
    ]) {
      const found = new RegExp(`^${file}$`.replaceAll('/.', '/\\.'));
      expect([file, content.some((line) => found.test(line))]).toEqual([file, true]);
    }
    expect(run('dpkg-deb', '--info', DEB)).toContain(' Depends: libc6 (>= 2.28)');
    expect(run('dpkg-deb', '--field', DEB, 'Maintainer').trim()).toBe(MAINTAINER);
  });

  test('has no error for lintian', () => {
    // A release is compressed; this one is for tests.
    const quick = ['data', 'control'].map((member) => `uses-no-compression-for-${member}-tarball`);
    const words = ['--allow-root', '--no-cfg', '--fail-on', 'error', '--suppress-tags', quick.join(',')];
    const { text, status } = tried('lintian', ...words, DEB);
    expect([status, text]).toEqual([0, text]);
  });

  test('is installed, upgraded below a task, removed and purged', () => {
    const dpkg = 'dpkg --root="$R" --force-depends --force-confold';
    const said = lifecycle(
      'deb',
      `${dpkg} -i ${DEB}`,
      `${dpkg} -i ${newerDeb(join(place, 'newer'))}`,
      `${dpkg} -r thermos`,
      `${dpkg} -P thermos`,
    );
    expect(said).toEqual([...LIFE, ...COLLECTED, 'purged: 0', 'stays: checkpoints sandboxes tasks']);
  });
});

/** Makes another version of an extracted package: its bundles say so, and are others. */
function makeNewer(directory: string): void {
  const dist = join(directory, 'usr/lib/thermos/dist');
  for (const name of ['main.cjs', 'thermos.cjs']) {
    const text = readFileSync(join(dist, name), 'latin1');
    writeFileSync(join(dist, name), text.replaceAll(version, '9.9.9'), 'latin1');
  }
}

function newerDeb(directory: string): string {
  run('dpkg-deb', '--raw-extract', DEB, directory);
  makeNewer(directory);
  const control = join(directory, 'DEBIAN/control');
  writeFileSync(control, readFileSync(control, 'utf8').replace(/^Version: .*$/m, 'Version: 9.9.9-1'));
  const file = `${directory}.deb`;
  run('dpkg-deb', '-Znone', '--root-owner-group', '--build', directory, file);
  return file;
}

function newerRpm(directory: string): string {
  const stage = join(directory, 'stage');
  mkdirSync(stage, { recursive: true });
  run('sh', '-c', 'cd "$1" && rpm2archive - <"$2" | tar -xzf -', 'sh', stage, RPM);
  makeNewer(stage);
  const spec = join(directory, 'thermos.spec');
  const words = {
    VERSION: '9.9.9',
    MACHINE: 'x86_64',
    DESCRIPTION: 'Newer.',
    STAGE: stage,
    PAYLOAD: 'w.ufdio',
    MAINTAINER: 'a <a@b.c>',
  };
  writeFileSync(spec, template('thermos.spec', { ...words, DAY: 'Fri Jan 01 2027' }));
  run('rpmbuild', '--quiet', '-bb', '--target', 'x86_64', '--define', `_topdir ${directory}`, spec);
  return join(directory, 'RPMS/x86_64/thermos-9.9.9-1.x86_64.rpm');
}

describe('the package for RPM', () => {
  test('has what it should where it should be', () => {
    const files = run('rpm', '-qpl', RPM).split('\n');
    expect(files).toEqual(
      expect.arrayContaining([
        '/usr/bin/thermos',
        '/usr/lib/thermos/node',
        '/etc/thermos/config.json',
        '/usr/lib/systemd/system/thermos-gc.service',
        '/usr/lib/systemd/system/thermos-gc.timer',
        '/usr/share/man/man1/thermos-status.1.gz',
        '/usr/share/bash-completion/completions/thermos',
        '/usr/share/zsh/site-functions/_thermos',
        '/usr/share/fish/vendor_completions.d/thermos.fish',
        '/usr/share/licenses/thermos/THIRD-PARTY-LICENSES',
      ]),
    );
    expect(run('rpm', '-qp', '--configfiles', RPM).trim()).toBe('/etc/thermos/config.json');
    expect(run('rpm', '-qp', '--requires', RPM)).toContain('glibc >= 2.28');
    expect(run('rpm', '-qp', '--queryformat', '%{PACKAGER}', RPM)).toBe(MAINTAINER);
  });

  test('has no error for rpmlint', () => {
    const config = join(REPOSITORY, 'scripts/release/system/rpmlint.toml');
    const { text } = tried('rpmlint', '--config', config, RPM);
    expect(text).toMatch(/ 0 errors/);
  });

  test('is installed, upgraded below a task and removed', () => {
    const rpm = 'rpm --root="$R" --nodeps --ignoresize --noplugins';
    const said = lifecycle(
      'rpm',
      `${rpm} -i ${RPM}`,
      `${rpm} -U ${newerRpm(join(place, 'newer-rpm'))}`,
      `${rpm} -e thermos`,
    );
    expect(said).toEqual([...LIFE, ...COLLECTED, 'stays: checkpoints sandboxes tasks']);
  });
});

test('both packages have the same bytes when they are made again from the same tree', () => {
  const options = { base: join(RELEASE, `trees/thermos-${version}-linux-x64`), quick: true };
  const [one, other] = ['one', 'other'].map((name) => {
    const directory = join(place, name);
    mkdirSync(directory);
    return [debPackage(directory, options), rpmPackage(directory, options)].map((file) => sha256(file));
  });
  expect(other).toEqual(one);
});

function sha256(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

describe('the units', () => {
  test('are right for systemd', () => {
    const root = join(place, 'units');
    run('dpkg-deb', '--extract', DEB, root);
    // What the units refer to.
    const system = join(root, 'usr/lib/systemd/system');
    for (const name of ['sysinit', 'basic', 'shutdown', 'timers', 'time-sync', 'time-set'])
      writeFileSync(join(system, `${name}.target`), '[Unit]\nDescription=of the host\n');
    for (const name of ['thermos-gc.service', 'thermos-gc.timer']) {
      const unit = join('/usr/lib/systemd/system', name);
      const { text } = tried('systemd-analyze', 'verify', `--root=${root}`, '--man=no', unit);
      expect(text.split('\n').filter((line) => line.includes('thermos-gc'))).toEqual([]);
    }
  });

  test('are off until an administrator enables them', () => {
    const control = join(place, 'control');
    run('dpkg-deb', '--control', DEB, control);
    const scripts = readdirSync(control).map((name) => readFileSync(join(control, name), 'utf8'));
    expect(scripts.filter((text) => /^[^#]*systemctl.*enable|deb-systemd-helper/m.test(text))).toEqual([]);
  });
});
