import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Executor, type ExecutorOptions, until } from './executor.js';
import { tempDir, thermos } from './harness.js';
import { isAlive } from './run-task.js';

const isRoot = process.getuid?.() === 0;
const NOBODY = 65534;
const role = isRoot ? 'nobody' : undefined;
const user = role ?? userInfo().username;
const CONTAINER_SANDBOX = '/mnt/mesos/sandbox';

let temp: ReturnType<typeof tempDir>;
let directory: string;
let executor: Executor | undefined;
beforeEach(() => {
  temp = tempDir();
  directory = join(temp.path, 'run');
  mkdirSync(join(rootfs(), CONTAINER_SANDBOX), { recursive: true });
});
afterEach(async () => {
  thermos(['kill', '--now', '--yes', '--root', join(directory, 'checkpoints'), '.*']);
  executor?.signal('SIGKILL');
  await executor?.status();
  temp.remove();
});

const rootfs = () => join(directory, 'taskfs');

/**
 * A double of `mesos-containerizer`: it prints its flags if it gets none, notes what it was started with, and becomes the
 * command in the image: as root by chroot(1) and as the user, else in the directory.
 */
function containerizer(flags: 'launch_info' | 'flags'): string {
  const path = join(temp.path, 'mesos-containerizer');
  const help = flags === 'launch_info' ? '--launch_info=VALUE' : '--command=VALUE --rootfs=VALUE';
  const script = `#!/bin/bash
if [ $# = 1 ]; then echo "Usage: $0 launch ${help}" >&2; exit 1; fi
printf '%s\\0' "$@" > '${temp.path}/words'
cat /proc/self/environ > '${temp.path}/environment'
echo "$PWD $EUID" > '${temp.path}/place'
eval "$('${process.execPath}' '${temp.path}/parse.cjs' "$@")"
if [ $EUID = 0 ]; then exec chroot --userspec="$user" "$rootfs" /bin/bash -c 'cd "$0"; exec /bin/bash -c "$1"' "$cwd" "$cmd"; fi
cd "$rootfs$cwd"; exec /bin/bash -c "$cmd"
`;
  const parse = `
    const word = (name) => process.argv.find((each) => each.startsWith('--' + name + '='))?.slice(name.length + 3);
    const { rootfs, user, working_directory, command } = word('launch_info') === undefined
      ? { ...Object.fromEntries(['rootfs', 'user', 'working_directory'].map((name) => [name, word(name)])), command: JSON.parse(word('command')) }
      : JSON.parse(word('launch_info'));
    const shown = { rootfs, user, cwd: working_directory, cmd: command.arguments[2] };
    for (const [name, value] of Object.entries(shown)) console.log(name + "='" + value.replaceAll("'", "'\\\\''") + "'");
  `;
  writeFileSync(path, script);
  writeFileSync(join(temp.path, 'parse.cjs'), parse);
  chmodSync(path, 0o755);
  return path;
}

/** A bash in the image, with what it is linked with. */
function fillImage(): void {
  const libraries = execFileSync('ldd', ['/bin/bash'], { encoding: 'utf8' }).match(/\/\S+/g) ?? [];
  for (const path of ['/bin/bash', ...libraries]) {
    mkdirSync(dirname(join(rootfs(), path)), { recursive: true });
    copyFileSync(path, join(rootfs(), path));
    chmodSync(join(rootfs(), path), 0o755);
  }
}

async function run(cmdline: string, path: string, options: Partial<ExecutorOptions> = {}): Promise<Executor> {
  fillImage();
  const { flags = [], ...others } = options;
  executor = new Executor([{ name: 'a', cmdline }], {
    directory,
    role,
    flags: [`--container_sandbox=${CONTAINER_SANDBOX}`, `--mesos_containerizer_path=${path}`, ...flags],
    ...others,
  });
  return await executor.start();
}

const noted = (name: string) => readFileSync(join(temp.path, name), 'utf8').split('\0').slice(0, -1);

/** With all that a shell or JSON could take for its own, and what is not ASCII. */
const CMDLINE = `echo "$PWD" "$HOME" "$UID" 'it''s' "\\$x" é \\\\ '
' \`echo back\``;
const OUTPUT = `${CONTAINER_SANDBOX} ${CONTAINER_SANDBOX} ${isRoot ? NOBODY : process.getuid?.()} its $x é \\ 
 back
`;

describe('a task with an image is run by mesos-containerizer', () => {
  const command = { shell: false, value: '/bin/bash', arguments: ['/bin/bash', '-c', CMDLINE] };

  test('with --launch_info', async () => {
    const executor = await run(CMDLINE, containerizer('launch_info'));
    expect(await executor.status()).toBe('TASK_FINISHED: Task finished.');
    const [launch, unshare, info, ...others] = noted('words');
    expect([launch, unshare, others]).toEqual(['launch', '--unshare_namespace_mnt', []]);
    expect(info).toMatch(/^--launch_info=[ -~]*$/);
    expect(JSON.parse((info as string).slice('--launch_info='.length))).toEqual({
      rootfs: rootfs(),
      user,
      working_directory: CONTAINER_SANDBOX,
      command,
    });
    if (isRoot) expect(executor.output('a')).toBe(OUTPUT);
  });

  test('with the flags that it had before Mesos 1.2', async () => {
    const executor = await run(CMDLINE, containerizer('flags'));
    expect(await executor.status()).toBe('TASK_FINISHED: Task finished.');
    const words = noted('words');
    expect(words.slice(0, -1)).toEqual([
      'launch',
      '--unshare_namespace_mnt',
      `--working_directory=${CONTAINER_SANDBOX}`,
      `--rootfs=${rootfs()}`,
      `--user=${user}`,
    ]);
    expect(JSON.parse((words.at(-1) as string).slice('--command='.length))).toEqual(command);
    if (isRoot) expect(executor.output('a')).toBe(OUTPUT);
  });

  test('in the sandbox, as the user that the runner has', async () => {
    const executor = await run('exit 3', containerizer('launch_info'));
    expect(await executor.status()).toBe('TASK_FAILED: Task failed.');
    const place = readFileSync(join(temp.path, 'place'), 'utf8');
    expect(place).toBe(`${executor.sandbox} ${process.geteuid?.()}\n`);
    const names = noted('environment').map((each) => each.split('=')[0]);
    expect(names.sort()).toEqual(['HOME', 'LOGNAME', 'PATH', 'PWD', 'SHLVL', 'USER', '_']);
    expect(noted('environment')).toContain(`USER=${user}`);
    expect(statSync(join(executor.sandbox, '.logs', 'a')).uid).toBe(process.geteuid?.());
  });

  test('and only the bash in the image reads its profile', async () => {
    const profile = join(rootfs(), CONTAINER_SANDBOX, '.thermos_profile');
    writeFileSync(profile, `READ="\${READ:-}in the image"\n[ -e '${temp.path}' ] && echo on the host\n`);
    const executor = await run('echo "$READ"', containerizer('launch_info'));
    expect(await executor.status()).toBe('TASK_FINISHED: Task finished.');
    expect(noted('environment')).toContain(`BASH_ENV=${CONTAINER_SANDBOX}/.thermos_profile`);
    if (isRoot) expect(executor.output('a')).toMatch(/^(in the image)+\n$/);
  });

  test('and ends with SIGUSR1', async () => {
    // The image has nothing but bash.
    execFileSync('mkfifo', ['-m', '666', join(rootfs(), CONTAINER_SANDBOX, 'fifo')]);
    const executor = await run('exec 3<>fifo; echo $$; read -u 3', containerizer('launch_info'));
    await until(() => executor.output('a') !== '', 'the process says its pid');
    const pid = Number(executor.output('a'));
    executor.kill();
    expect(await executor.status()).toBe('TASK_KILLED: Task killed.');
    expect(isAlive(pid)).toBe(false);
  });
});

test.each([
  [
    'that is not there',
    {},
    'TASK_LOST: Thermos failed with internal error.',
    /cannot execute .*no such file/,
  ],
  [
    'outside of a run directory',
    { env: { MESOS_DIRECTORY: '' } },
    'TASK_LOST: Thermos exited for unknown reason (exit status: 2)',
    /needs MESOS_DIRECTORY/,
  ],
])('nothing runs with a mesos-containerizer %s', async (_, options, status, why) => {
  const executor = await run('true', join(temp.path, 'missing'), options);
  expect(await executor.status()).toBe(status);
  expect(executor.stderr).toMatch(why);
  expect(executor.state).toBe(undefined);
});
