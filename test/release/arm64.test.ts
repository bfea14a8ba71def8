import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FIXTURES, REPOSITORY } from '../e2e/harness.js';
import { expectMade, RELEASE, VERSION } from './forms.js';

const NAME = `thermos-${VERSION}-linux-arm64`;
const ARCHIVE = join(RELEASE, `${NAME}.tar.xz`);
const ONE_FILE = join(RELEASE, NAME);

/** What emulates the other architecture: Debian's package qemu-user-static. */
const QEMU = '/usr/bin/qemu-aarch64-static';
const CAN = process.getuid?.() === 0 && process.arch === 'x64' && existsSync(QEMU);

/** Made only where there are compilers for it: npm run test:release:arm64. */
const IS_MADE = existsSync(ARCHIVE);

/** A Debian for arm64 that debootstrap has unpacked, which is never changed. */
const KEPT = process.env.THERMOS_TEST_ARM64 ?? join(REPOSITORY, 'node_modules/.cache/thermos-arm64');

/** How the kernel knows such a program, and what executes it: for a register of its own, which a user namespace has. */
const HEAD = '\\x7fELF\\x02\\x01\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x02\\x00\\xb7\\x00';
const MASK =
  '\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\x00\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xfe\\xff\\xff\\xff';
const ENTRY = `:aarch64:M::${HEAD}:${MASK}:${QEMU}:F`;

let root: string;

/**
 * Runs lines of the host's shell in which `thermos` is the program in the root. That shell is not emulated: qemu's signals
 * are not to be relied on in a shell that waits.
 */
function inRoot(program: string, lines: string) {
  const script = `mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc; printf %s "$2" >/proc/sys/fs/binfmt_misc/register
    mount -t proc proc "$1/proc"; mount -t tmpfs -o mode=755 tmpfs "$1/dev"
    : >"$1/dev/null"; mount --bind /dev/null "$1/dev/null"; mkdir -m 1777 "$1/dev/shm"
    R=$1; P=$3; thermos() { chroot "$R" "$P" "$@"; }
    ${lines}`;
  const words = ['-rmpf', '--kill-child', 'sh', '-ec', script, 'sh', root, ENTRY, program];
  const { status, stdout, stderr } = spawnSync('unshare', words, {
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', THERMOS_CACHE_DIR: '/var/thermos' },
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

/** All that is asked of a host: looks, evaluates, runs, is killed, resumes, shows a log, collects. */
const ALL = `thermos --version
  thermos status --json --root /fixtures/host/root >/dev/null
  thermos inspect /fixtures/config/basic_task.thermos | { read -r line; echo "$line"; cat >/dev/null; }
  D=$(mktemp -d "$R/tmp/task-XXXXXX"); IN=/tmp/$(basename "$D"); mkdir "$D/root"
  cat >"$D/web.json" <<'END'
{"name":"web","processes":[{"name":"main","cmdline":"until [ -e go ]; do sleep 0.5; done; echo done"}]}
END
  chroot "$R" "$P" run --root "$IN/root" --task-id web "$IN/web.json" >/dev/null 2>&1 & runner=$!
  until thermos wait --root "$IN/root" --for process=main:RUNNING --timeout 60s web >/dev/null 2>&1; do sleep 1; done
  kill -9 $runner; wait $runner || true
  : >"$D/root/sandboxes/web/go"
  thermos run --root "$IN/root" --task-id web "$IN/web.json" >/dev/null
  thermos tail --no-prefix --root "$IN/root" web
  thermos gc --yes --max-age 0s --root "$IN/root" >/dev/null
  [ ! -e "$D/root/checkpoints/web" ] && echo collected`;

describe.runIf(CAN && IS_MADE)('for arm64, which is emulated', () => {
  beforeAll(() => {
    expectMade(ARCHIVE, ONE_FILE);
    const run = (program: string, ...words: string[]) => execFileSync(program, words, { stdio: 'pipe' });
    if (!existsSync(join(KEPT, 'etc/debian_version'))) {
      rmSync(KEPT, { recursive: true, force: true });
      run('debootstrap', '--foreign', '--arch=arm64', '--variant=minbase', 'bookworm', KEPT);
    }
    root = mkdtempSync(join(tmpdir(), 'thermos-arm64-'));
    chmodSync(root, 0o755);
    run('cp', '-a', '--reflink=auto', `${KEPT}/.`, root);
    // debootstrap makes a link to the proc of the host.
    const proc = join(root, 'proc');
    if (lstatSync(proc).isSymbolicLink()) rmSync(proc);
    // It leaves /opt to what it would execute.
    for (const path of [proc, join(root, 'opt')]) mkdirSync(path, { recursive: true });
    for (const name of ['host', 'config'])
      cpSync(join(FIXTURES, name), join(root, 'fixtures', name), { recursive: true });
    run('tar', '-xJf', ARCHIVE, '-C', join(root, 'opt'));
    copyFileSync(ONE_FILE, join(root, 'opt/thermos'));
  });
  afterAll(() => {
    if (root !== undefined) rmSync(root, { recursive: true, force: true });
  });

  test.each([
    ['archive', `/opt/${NAME}/bin/thermos`],
    ['one file', '/opt/thermos'],
  ])('the %s does everything', (_, program) => {
    expect(inRoot(program, ALL)).toMatchObject({
      status: 0,
      stdout: `thermos/${VERSION}\nTask:       morning\ndone\ncollected\n`,
    });
  });

  test('the archive says on another machine that it is not for it', () => {
    const { status, stderr } = spawnSync(join(root, 'opt', NAME, 'bin/thermos'), { encoding: 'utf8' });
    // libzstd-dev:arm64, with which the one file is built, brings the loader.
    const says = existsSync('/lib/ld-linux-aarch64.so.1')
      ? 'this is a program for aarch64, which this x86_64 host does not execute; use the one for it'
      : 'this is a program for aarch64 with the GNU C library, and this x86_64 host has no /lib/ld-linux-aarch64.so.1; use --agent from another host';
    expect({ status, stderr }).toEqual({ status: 126, stderr: `thermos: ${says}\n` });
  });

  test('the packages are for arm64', () => {
    const field = (name: string) =>
      execFileSync('dpkg-deb', ['--field', join(RELEASE, `thermos_${VERSION}-1_arm64.deb`), name], {
        encoding: 'utf8',
      }).trim();
    expect(field('Architecture')).toBe('arm64');
    expect(field('Depends')).toBe('libc6 (>= 2.28), libgcc-s1 | libgcc1, libstdc++6 (>= 7)');
    const rpm = join(RELEASE, `thermos-${VERSION}-1.aarch64.rpm`);
    expect(execFileSync('rpm', ['-qp', '--queryformat', '%{ARCH}', rpm], { encoding: 'utf8' })).toBe(
      'aarch64',
    );
  });
});
