import { type ExecFileSyncOptions, execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FIXTURES } from '../e2e/harness.js';
import { ARCHIVE, expectMade, NAME, ONE_FILE, VERSION } from './forms.js';

/** Only root makes roots. */
const IS_ROOT = process.getuid?.() === 0;

/** Debian's releases that debootstrap reaches, by the names of their trees in THERMOS_TEST_ROOTS, separated by colons. */
const ROOTS = (process.env.THERMOS_TEST_ROOTS ?? '').split(':').filter((path) => path !== '');

/** Nobody, with a home that is missing. */
const NOBODY = '65534';

let place: string;
beforeAll(() => {
  expectMade(ARCHIVE, ONE_FILE);
  place = mkdtempSync(join(tmpdir(), 'thermos-hosts-'));
  chmodSync(place, 0o755);
});
afterAll(() => {
  if (place !== undefined) rmSync(place, { recursive: true, force: true });
});

const run = (program: string, words: readonly string[], options: ExecFileSyncOptions = {}) =>
  execFileSync(program, words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], ...options });

/**
 * A root with nothing but a shell, the programs of `names`, and what they and Node link with: no /usr/bin/env, no passwd.
 */
function emptyRoot(...names: string[]): string {
  const root = mkdtempSync(join(place, 'root-'));
  chmodSync(root, 0o755);
  for (const name of ['bin', 'lib64', 'proc', 'dev', 'run', 'var', 'tmp', 'opt', 'fixtures']) {
    mkdirSync(join(root, name));
  }
  const node = join(place, NAME, 'lib/thermos/node');
  if (!existsSync(node)) run('tar', ['-xJf', ARCHIVE, '-C', place]);
  const programs = [...names.map((name) => run('which', [name]).toString().trim()), node];
  for (const program of programs) {
    for (const [, library = ''] of run('ldd', [program])
      .toString()
      .matchAll(/(\/\S+) \(0x/g)) {
      mkdirSync(join(root, library, '..'), { recursive: true });
      copyFileSync(library, join(root, library));
    }
    if (program !== node) copyFileSync(program, join(root, 'bin', program.replace(/.*\//, '')));
  }
  cpSync(join(FIXTURES, 'host'), join(root, 'fixtures/host'), { recursive: true });
  cpSync(join(FIXTURES, 'config'), join(root, 'fixtures/config'), { recursive: true });
  cpSync(join(place, NAME), join(root, 'opt/thermos'), {
    recursive: true,
    verbatimSymlinks: true,
    preserveTimestamps: true,
  });
  copyFileSync(ONE_FILE, join(root, 'bin/thermos'));
  return root;
}

interface Host {
  /** Shell commands of the host before: mounts. `$R` is the root. */
  before?: string;
  uid?: string;
  env?: Record<string, string>;
}

/** Runs a line of sh in a root, in namespaces of its own. */
function inRoot(root: string, line: string, { before = '', uid = '0', env = {} }: Host = {}) {
  const script = `set -e; R=$1; mount -t proc proc "$R/proc"; mount -t tmpfs -o mode=755 tmpfs "$R/dev"; mknod -m 666 "$R/dev/null" c 1 3
    mkdir -m 1777 "$R/dev/shm"
    ${before}
    shift; exec chroot --userspec="$1:$1" "$R" /bin/sh -c "$2"`;
  const words = ['-m', '-p', '-f', '--kill-child', 'sh', '-c', script, 'sh', root, uid, line];
  const { status, stdout, stderr } = spawnSync('unshare', words, {
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', ...env },
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

const PRINTED = { status: 0, stdout: `thermos/${VERSION}\n`, stderr: '' };
const STATUS = 'status --json --root /fixtures/host/root';

/** All that is asked of a host: looks, evaluates, runs, is killed, resumes, shows a log, collects. */
const ALL = (thermos: string) => `set -e; T=${thermos}
  $T --version
  $T ${STATUS} >/dev/null
  $T inspect /fixtures/config/basic_task.thermos | { read -r line; echo "$line"; }
  D=$(mktemp -d); cd "$D"; mkdir root
  cat >web.json <<'END'
{"name":"web","processes":[{"name":"main","cmdline":"until [ -e go ]; do sleep 0.05; done; echo done"}]}
END
  $T run --root "$D/root" --task-id web web.json >/dev/null 2>&1 & runner=$!
  $T wait --root "$D/root" --for process=main:RUNNING --timeout 60s web >/dev/null 2>&1 || until [ -e root/sandboxes/web ]; do sleep 0.1; done
  kill -9 $runner; wait $runner || true
  : >root/sandboxes/web/go
  $T run --root "$D/root" --task-id web web.json >/dev/null
  $T tail --no-prefix --root "$D/root" web
  $T gc --yes --max-age 0s --root "$D/root" >/dev/null
  [ ! -e root/checkpoints/web ] && echo collected`;
const DONE = `thermos/${VERSION}\nTask:       morning\ndone\ncollected\n`;
/** The programs of the host that it takes. */
const NEEDED = ['sh', 'bash', 'sleep', 'mktemp', 'mkdir', 'cat', 'kill', 'flock'];

/** The forms without a package manager, and where they are in a root. */
const FORMS = [
  ['archive', '/opt/thermos/bin/thermos'],
  ['one file', '/bin/thermos'],
] as const;

/** A root in which all of that can be done. */
function rootForAll(): string {
  const root = emptyRoot(...NEEDED);
  chmodSync(join(root, 'tmp'), 0o1777);
  return root;
}

describe.runIf(IS_ROOT)('in a root with nothing but a libc, a shell and flock', () => {
  let root: string;
  beforeAll(() => {
    root = rootForAll();
  });

  test.each(FORMS)('the %s does everything, as root and as a user without a home', (_, program) => {
    const asRoot = inRoot(root, ALL(program));
    expect(asRoot).toMatchObject({ status: 0, stdout: DONE });
    const asNobody = inRoot(root, ALL(program), { uid: NOBODY });
    expect(asNobody).toMatchObject({ status: 0, stdout: DONE });
  });

  test.each(FORMS)('the %s looks on a read-only disk', (_, program) => {
    const before =
      'mount --bind "$R" "$R"; mount -o remount,bind,ro "$R"; mount -t proc proc "$R/proc"; mount -t tmpfs -o mode=755 tmpfs "$R/dev"; mkdir -m 1777 "$R/dev/shm"; mknod -m 666 "$R/dev/null" c 1 3';
    for (const uid of ['0', NOBODY]) {
      expect(
        inRoot(root, `${program} ${STATUS} >/dev/null && ${program} --version`, { before, uid }),
      ).toEqual(PRINTED);
    }
  });

  test('the one file finds another place if its cache is mounted noexec, or is full', () => {
    mkdirSync(join(root, 'var/cache'), { recursive: true });
    for (const option of ['noexec', 'size=20m']) {
      const before = `mount -t tmpfs -o mode=755,${option} tmpfs "$R/var/cache"`;
      expect(inRoot(root, '/bin/thermos --version', { before })).toEqual(PRINTED);
    }
  });

  test('where no program of thermos may run on any disk, the one file runs tasks with its Node in memory', () => {
    const noexec = `mount -t tmpfs -o mode=1777,noexec tmpfs "$R/tmp"`;
    // Of this pid namespace alone: what is in memory may be executed only if its maker has said so.
    const sealed = `${noexec}; ! [ -e "$R/proc/sys/vm/memfd_noexec" ] || echo 1 >"$R/proc/sys/vm/memfd_noexec"`;
    const env = { THERMOS_CACHE_DIR: '/tmp/cache' };
    for (const before of [noexec, sealed])
      for (const uid of ['0', NOBODY])
        expect(
          inRoot(root, `(umask 077; mkdir /tmp/cache); ${ALL('/bin/thermos')}`, { before, uid, env }),
        ).toMatchObject({
          status: 0,
          stdout: DONE,
        });
  });

  test('without /proc, both start', () => {
    for (const [, program] of FORMS) {
      expect(inRoot(root, `${program} --version`, { before: 'umount "$R/proc"' })).toEqual(PRINTED);
    }
  });
});

describe.runIf(IS_ROOT)('in a root of which nothing can be written', () => {
  let root: string;
  beforeAll(() => {
    root = emptyRoot('sh');
  });

  test('where no program may run on any disk, or little room is left, the one file looks with its Node in memory', () => {
    for (const options of ['noexec', 'size=60m']) {
      // As in a container that Docker starts with --read-only.
      const before = `mount --bind "$R" "$R"; mount -o remount,bind,ro "$R"
        mount -t tmpfs -o mode=755 tmpfs "$R/dev"; mknod -m 666 "$R/dev/null" c 1 3
        mkdir "$R/dev/shm"; mount -t tmpfs -o mode=1777,${options} tmpfs "$R/dev/shm"; mount -t proc proc "$R/proc"`;
      for (const uid of ['0', NOBODY]) {
        const line = `for round in 1 2; do /bin/thermos ${STATUS} >/dev/null || exit; done
          /bin/thermos inspect /fixtures/config/basic_task.thermos >/dev/null && /bin/thermos --version`;
        expect([options, uid, inRoot(root, line, { before, uid })]).toEqual([options, uid, PRINTED]);
      }
    }
  });

  test('where there is no room at all, the one file says why it does not start', () => {
    const before = `mount --bind "$R" "$R"; mount -o remount,bind,ro "$R"`;
    const { status, stdout, stderr } = inRoot(root, '/bin/thermos --version', { before });
    expect({ status, stdout }).toEqual({ status: 126, stdout: '' });
    expect(stderr).toMatch(
      /^thermos: there is no place for its 140 MB: \/var\/cache\/thermos: .*; set THERMOS_CACHE_DIR to a directory of yours with room, or use the archive .tar.xz\n$/,
    );
  });
});

describe.runIf(IS_ROOT)('a host that is too different', () => {
  const refusal = (text: string) => ({ status: 126, stdout: '', stderr: `thermos: ${text}\n` });

  test('without a GNU C library gets one line from both', () => {
    const root = emptyRoot();
    copyFileSync('/bin/busybox', join(root, 'bin/sh'));
    for (const name of ['lib', 'lib64', 'usr']) rmSync(join(root, name), { recursive: true, force: true });
    expect(inRoot(root, '/bin/thermos --version')).toEqual(
      refusal(
        'this host has no GNU C library, which Node needs (glibc 2.28 or newer); use --agent from another host',
      ),
    );
    expect(inRoot(root, '/opt/thermos/bin/thermos --version').stderr).toMatch(
      /^thermos: this is a program for x86_64 with the GNU C library, and this \S* ?host has no \/lib64\/ld-linux-x86-64.so.2; use --agent from another host\n$/,
    );
  });
});

/** A loader of programs that says what that of an old host says, and ends. */
function withLoader(text: string): string {
  const root = emptyRoot();
  const source = join(place, 'loader.c');
  writeFileSync(
    source,
    `static const char text[] = ${JSON.stringify(text)};
    void _start(void) {
      long result;
      __asm__ volatile("syscall" : "=a"(result) : "0"(1L), "D"(2L), "S"(text), "d"(sizeof text - 1) : "rcx", "r11", "memory");
      __asm__ volatile("syscall" : "=a"(result) : "0"(231L), "D"(1L) : "rcx", "r11");
    }`,
  );
  copyFileSync(ONE_FILE, join(root, 'thermos'));
  const loader = join(root, 'lib64/ld-linux-x86-64.so.2');
  run('gcc', ['-O1', '-nostdlib', '-static', '-fno-stack-protector', '-o', loader, source]);
  return root;
}

describe.runIf(IS_ROOT)('on a host whose loader refuses Node', () => {
  test.each([
    [
      "/opt/node: /lib64/libc.so.6: version `GLIBC_2.28' not found (required by /opt/node)\n",
      'the C library of this host is too old: glibc 2.28 or newer is needed (Debian 10, RHEL 8, Ubuntu 20.04); use --agent from another host',
    ],
    [
      '/opt/node: error while loading shared libraries: libstdc++.so.6: cannot open shared object file\n',
      'this host has no libstdc++.so.6, or too old a one: install the package libstdc++6 (Debian) or libstdc++ (RPM), or use --agent from another host',
    ],
    [
      'FATAL: kernel too old\n',
      expect.stringMatching(
        /^Node does not start on this host \(Linux \S+, status 1: FATAL: kernel too old\); use --agent from another host$/,
      ),
    ],
  ])('for %j the one file says what to do', (said, text) => {
    const root = withLoader(said);
    const words = ['-m', 'chroot', root, '/thermos', '--version'];
    const { status, stdout, stderr } = spawnSync('unshare', words, {
      env: { PATH: process.env.PATH, THERMOS_CACHE_DIR: '/var/thermos' },
      encoding: 'utf8',
    });
    expect({ status, stdout }).toEqual({ status: 126, stdout: '' });
    expect(stderr.replace(/^thermos: (.*)\n$/, '$1')).toEqual(text);
  });
});

describe.runIf(IS_ROOT)('on a host with an older kernel', () => {
  let root: string;
  beforeAll(() => {
    root = rootForAll();
    const source = join(import.meta.dirname, 'old-kernel.c');
    run('gcc', ['-static', '-o', join(root, 'bin/old-kernel'), source]);
  });

  test.each(
    FORMS.flatMap(([name, program]) => [
      [name, '4.18', `'/bin/old-kernel 334 ${program}'`] as const,
      [name, '3.17', `'/bin/old-kernel 318 ${program}'`] as const,
    ]),
  )('the %s does everything with the system calls of Linux %s', (_, version, program) => {
    expect([version, inRoot(root, ALL(program))]).toMatchObject([version, { status: 0, stdout: DONE }]);
  });

  /** What the kernel says of itself, in the place of the host's. */
  const before = `echo 3.10.0-1160.el7.x86_64 >"$R/tmp/release"
    mount --bind "$R/tmp/release" "$R/proc/sys/kernel/osrelease"`;

  test.each(FORMS)('the %s says in one line that it is too old', (_, program) => {
    const env = { THERMOS_CACHE_DIR: '/var/fresh' };
    const { status, stdout, stderr } = inRoot(root, `/bin/old-kernel 313 ${program} --version`, {
      before,
      env,
    });
    expect({ status, stdout }).toEqual({ status: 126, stdout: '' });
    expect(stderr).toMatch(
      /^thermos: Node does not start on this host \(Linux .*; use --agent from another host\n$/,
    );
  });

  test('the archive starts where an old kernel has what Node needs', () => {
    expect(inRoot(root, '/opt/thermos/bin/thermos --version', { before })).toEqual(PRINTED);
  });
});

describe.runIf(IS_ROOT)('the launcher of the archive', () => {
  test('says on a host with loaders of two machines that its own cannot be executed', () => {
    const root = emptyRoot('sh', 'uname');
    writeFileSync(join(root, 'lib/ld-linux-aarch64.so.1'), '');
    expect(inRoot(root, '/opt/thermos/bin/thermos --version')).toEqual(PRINTED);
    writeFileSync(join(root, 'bin/uname'), '#!/bin/sh\necho aarch64\n');
    // Node is executed there, as by qemu.
    expect(inRoot(root, '/opt/thermos/bin/thermos --version')).toEqual(PRINTED);
    const fd = openSync(join(root, 'opt/thermos/lib/thermos/node'), 'r+');
    // The machine in the header of ELF: one that Linux has no name for.
    writeSync(fd, '\xff\xff', 18, 'latin1');
    closeSync(fd);
    expect(inRoot(root, '/opt/thermos/bin/thermos --version')).toEqual({
      status: 126,
      stdout: '',
      stderr:
        'thermos: this is a program for x86_64, which this aarch64 host does not execute; use the one for it\n',
    });
  });

  test.each([17, 27])('names the C library of a host that has glibc 2.%i', (minor) => {
    const root = emptyRoot('sh');
    writeFileSync(join(root, `lib64/libc-2.${minor}.so`), '');
    expect(inRoot(root, '/opt/thermos/bin/thermos --version')).toEqual({
      status: 126,
      stdout: '',
      stderr: `thermos: the C library of this host is glibc 2.${minor}, 2.28 or newer is needed; use --agent from another host\n`,
    });
  });
});

describe.runIf(IS_ROOT && ROOTS.length > 0)('in a Debian', () => {
  test.each(ROOTS)('%s, both do everything', (kept) => {
    const root = join(place, `debian-${ROOTS.indexOf(kept)}`);
    run('cp', ['-a', '--reflink=auto', kept, root]);
    cpSync(FIXTURES, join(root, 'fixtures'), { recursive: true });
    run('tar', ['-xJf', ARCHIVE, '-C', join(root, 'opt')]);
    copyFileSync(ONE_FILE, join(root, 'opt/thermos'));
    expect(readFileSync(join(root, 'etc/debian_version'), 'utf8')).not.toBe('');
    for (const program of [`/opt/${NAME}/bin/thermos`, '/opt/thermos']) {
      for (const uid of ['0', NOBODY]) {
        expect([program, uid, inRoot(root, ALL(program), { uid })]).toMatchObject([
          program,
          uid,
          { status: 0, stdout: DONE },
        ]);
      }
    }
  });
});
