import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { containerizedCommand } from '../../src/runner/containerizer.js';
import { quoted } from '../../src/text/shell.js';

/** What bash starts with a command line: the words and BASH_ENV, by a program that prints both. */
function started(cmdline: string): { words: string[]; profile: string } {
  const { stdout } = spawnSync('/bin/bash', ['-c', cmdline], {
    env: { PATH: process.env.PATH, LC_ALL: 'C' },
    encoding: 'utf8',
  });
  const [profile = '', ...words] = stdout.split('\0').slice(0, -1);
  return { words, profile };
}

const PRINT = process.execPath;
const CODE =
  "process.stdout.write([process.env.BASH_ENV ?? '', ...process.argv.slice(2)].join('\\0') + '\\0')";

/** The command line, for a program that prints its words in the place of `launch`. */
function printing(cmdline: string): string {
  return cmdline.replace(`${quoted(PRINT)} launch`, () => `${quoted(PRINT)} -e "${CODE}" -- x`);
}

const image = { path: PRINT, rootfs: "/run's/taskfs", sandbox: '/mnt/mesos/sandbox', takesLaunchInfo: true };

test.each([
  'echo $HOME',
  `it's "quoted" \\ \`x\` $(y) ! # ~ *`,
  'line one\nline two\t\u0001\u007f',
  'é € 😀 \u202e',
  "'",
])('bash passes %j on unchanged', (cmdline) => {
  const line = containerizedCommand(cmdline, { user: 'www', profile: "/mnt/it's" }, image);
  expect(line).toMatch(/^[ -~]*$/);
  const { words, profile } = started(printing(line));
  expect(profile).toBe("/mnt/it's");
  expect(words.slice(0, -1)).toEqual(['--unshare_namespace_mnt']);
  expect(JSON.parse((words.at(-1) as string).slice('--launch_info='.length))).toEqual({
    rootfs: image.rootfs,
    user: 'www',
    working_directory: '/mnt/mesos/sandbox',
    command: { shell: false, value: '/bin/bash', arguments: ['/bin/bash', '-c', cmdline] },
  });
});

test('without a profile, and for an older Mesos', () => {
  const line = containerizedCommand('true', { user: 'www' }, { ...image, takesLaunchInfo: false });
  expect(line).toMatch(/^exec /);
  const { words, profile } = started(printing(line));
  expect(profile).toBe('');
  expect(words).toEqual([
    '--unshare_namespace_mnt',
    '--working_directory=/mnt/mesos/sandbox',
    `--rootfs=${image.rootfs}`,
    '--user=www',
    '--command={"shell":false,"value":"/bin/bash","arguments":["/bin/bash","-c","true"]}',
  ]);
});
