import { once } from 'node:events';
import { constants } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { CODES } from '../../src/cli/codes.js';
import { COMMANDS } from '../../src/commands/index.js';
import { violations } from '../contracts/validate.js';
import { FIXTURES, shell, startThermos, thermos } from './harness.js';

const IDS = Object.keys(COMMANDS).filter((id) => !id.startsWith('_'));
const BOLD = '\u001b[1m';

/** Runs a line in a pseudo terminal; what it prints has CRLF line ends. */
function onTerminal(line: string, env: Record<string, string> = {}): string {
  return shell(`SHELL=$(command -v bash) script -qec ${quote(line)} /dev/null </dev/null`, {
    env: { TERM: 'xterm', ...env },
  }).stdout;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

describe('help', () => {
  const program = thermos(['help']).stdout;

  test.each([[[]], [['-h']], [['--help']], [['help']]])('%j lists the commands', (argv) => {
    const { stdout, stderr, status } = thermos(argv);
    expect({ stdout, stderr, status }).toEqual({ stdout: program, stderr: '', status: 0 });
    for (const id of IDS) expect(stdout).toMatch(new RegExp(`^  ${id} +[A-Z].*$`, 'm'));
    expect(stdout).not.toContain('__complete');
  });

  test.each(IDS)('help %s, in the usual order', (id) => {
    const { stdout, stderr, status } = thermos(['help', id]);
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
    for (const argv of [
      [id, '--help'],
      [id, '-h'],
      ['--help', id],
      [id, '--root', '/x', '--bogus', '-h'],
    ]) {
      expect(thermos(argv).stdout).toBe(stdout);
    }
    const titles = stdout.split('\n').filter((line) => /^[A-Z ]+$/.test(line));
    const order = [
      'USAGE',
      'DESCRIPTION',
      'EXAMPLES',
      'ARGUMENTS',
      'FLAGS',
      'GLOBAL FLAGS',
      'EXIT CODES',
      'ENVIRONMENT',
      'FILES',
      'SEE ALSO',
    ];
    expect(titles.filter((title) => order.includes(title))).toEqual(
      order.filter((title) => titles.includes(title)),
    );
    expect(titles).toEqual(expect.arrayContaining(['USAGE', 'EXAMPLES', 'GLOBAL FLAGS', 'EXIT CODES']));
    const long = stdout.split(/\n(?=[A-Z ]+\n)/).filter((section) => /^[A-Z ]*FLAGS\n/.test(section));
    for (const section of long) {
      const columns = section.split('\n').map((line) => /^ {2}(?:-\w, {0,4}| *)--/.exec(line)?.[0].length);
      expect(new Set(columns.filter((column) => column !== undefined)).size).toBe(1);
    }
    const outside = stdout.split('\n').filter((line) => !/^ *\$ /.test(line));
    expect(outside.filter((line) => line.length > 80 || line !== line.trimEnd())).toEqual([]);
  });

  test('is as wide as the terminal, and 80 columns on a pipe', () => {
    const wide = onTerminal('stty cols 200; thermos help version').split('\r\n');
    expect(Math.max(...wide.map((line) => line.length))).toBeGreaterThan(80);
    const narrow = onTerminal('stty cols 50; thermos help version').split('\r\n');
    const outside = narrow.filter((line) => !line.includes('$ '));
    expect(Math.max(...outside.map((line) => line.length))).toBeLessThanOrEqual(50);
  });

  test('of an unknown command', () => {
    expect(thermos(['help', 'stats'])).toEqual({
      stdout: '',
      stderr:
        "error: 'stats' is not a thermos command\n" +
        (IDS.includes('status') ? "hint: did you mean 'thermos status'?\n" : '') +
        "usage: thermos COMMAND [ARGUMENTS] [FLAGS]; see 'thermos help'\n",
      status: 2,
      signal: null,
    });
  });

  test('of the codes: each of them, in 80 columns on a pipe', () => {
    const { stdout, stderr, status } = thermos(['help', 'codes']);
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
    for (const code of CODES.keys()) expect(stdout).toMatch(new RegExp(`^  ${code} +[A-Z]`, 'm'));
    expect(stdout.split('\n').filter((line) => line.length > 80 || line !== line.trimEnd())).toEqual([]);
    expect(program).toMatch(/^TOPICS\n {2}codes +[A-Z]/m);
    expect(JSON.parse(thermos(['help', 'codes', '--json']).stdout)).toEqual({ help: stdout });
    expect(onTerminal('thermos help codes')).toContain(`${BOLD}LOGS`);
  });

  test('of one code, with or without the topic', () => {
    const { stdout, stderr, status } = thermos(['help', 'codes', 'task-finished']);
    expect({ stdout, stderr, status }).toEqual({
      stdout: `task-finished: The task with that id is finished, and cannot be run again.

WHAT TO DO
  Choose another id with --task-id, or remove the old task with \`thermos gc\`.

EXIT CODES
  2  Usage, invalid config, or a confirmation is needed and there is no
     terminal.

SEE ALSO
  thermos help codes
`,
      stderr: '',
      status: 0,
    });
    expect(thermos(['help', 'task-finished']).stdout).toBe(stdout);
  });

  test('of an unknown code, and of more than one command', () => {
    expect(thermos(['help', 'codes', 'task-finish'])).toMatchObject({
      stdout: '',
      stderr:
        "error: 'task-finish' is not a code\n" +
        "hint: did you mean 'task-finished'?\n" +
        "usage: thermos help codes [CODE] [FLAGS]; see 'thermos help codes'\n",
      status: 2,
    });
    expect(thermos(['help', 'status', 'codes'])).toMatchObject({
      stdout: '',
      stderr:
        "error: unexpected argument 'codes'\n" +
        "usage: thermos help [COMMAND] [FLAGS]; see 'thermos help --help'\n",
      status: 2,
    });
  });

  test('with --json is a document too', () => {
    const { stdout } = thermos(['version', '--help', '--json']);
    expect(violations('help', JSON.parse(stdout))).toEqual([]);
    expect(JSON.parse(stdout)).toEqual({ help: thermos(['help', 'version']).stdout });
  });
});

describe('a wrong command line', () => {
  test('unknown command', () => {
    expect(thermos(['versoin'])).toEqual({
      stdout: '',
      stderr:
        "error: 'versoin' is not a thermos command\n" +
        "hint: did you mean 'thermos version'?\n" +
        "usage: thermos COMMAND [ARGUMENTS] [FLAGS]; see 'thermos help'\n",
      status: 2,
      signal: null,
    });
  });

  test('unknown flag', () => {
    expect(thermos(['version', '--jsno'])).toEqual({
      stdout: '',
      stderr:
        "error: unknown flag '--jsno'\n" +
        "hint: did you mean '--json'?\n" +
        "usage: thermos version [FLAGS]; see 'thermos version --help'\n",
      status: 2,
      signal: null,
    });
  });

  test.each([
    [['versoin', '--json'], 'unknown-command', "'versoin' is not a thermos command"],
    [['--json', 'versoin'], 'unknown-command', "'versoin' is not a thermos command"],
    [['version', '--jsno', '--json'], 'usage', "unknown flag '--jsno'"],
    [['version', '--json', 'x'], 'usage', "unexpected argument 'x'"],
    [['version', '--json', '--root'], 'usage', '--root takes PATH, and no value is given'],
    [['--json', '--bogus', 'version'], 'unknown-command', "unknown flag '--bogus' before the command"],
  ])('%j is one JSON document with the same exit code', (argv, code, message) => {
    const { stdout, stderr, status } = thermos(argv);
    expect({ stderr, status }).toEqual({ stderr: '', status: 2 });
    expect(stdout.endsWith('}\n')).toBe(true);
    const document = JSON.parse(stdout);
    expect(violations('error', document)).toEqual([]);
    expect(document.error).toMatchObject({ code, message });
    expect(document.error.hint).toBeTypeOf('string');
  });

  test('control characters in the words do not reach the terminal', () => {
    const { stderr } = thermos(['\u001b[31mred']);
    expect(stderr).not.toContain('\u001b');
    expect(stderr).toContain("'\\e[31mred'");
  });
});

describe('flags', () => {
  test('global ones may come before the command', () => {
    const { stdout } = thermos(['version', '--json']);
    expect(thermos(['--json', 'version']).stdout).toBe(stdout);
    expect(thermos(['--root', '/x', '--json', 'version']).stdout).toBe(stdout);
    expect(thermos(['--mesos_root', '/x', '--json', 'version']).stdout).toBe(stdout);
  });

  test('after -- there are none', () => {
    expect(thermos(['help', '--', '--help']).stderr).toContain("unknown flag '--help'");
  });

  test('those that the original inherited are accepted everywhere, and one line says that they do nothing', () => {
    const { stdout } = thermos(['version', '--json']);
    const stderr = '--log_dir and --log_to_stderr are flags of the original and do nothing here\n';
    const given = ['--log_dir', '/tmp', '--log_to_stderr=google:DEBUG'];
    expect(thermos([...given, 'version', '--json'])).toMatchObject({ stdout, stderr, status: 0 });
    expect(thermos(['version', ...given, '--json'])).toMatchObject({ stdout, stderr, status: 0 });
    expect(thermos(['status', '--json', ...given, 'no-task'])).toMatchObject({ stderr, status: 1 });
    expect(thermos(['--long-help']).stdout).toBe(thermos(['help']).stdout);
  });

  test('THERMOS_CONTENT_TYPE is none of ours', () => {
    const { stdout, status } = thermos(['version'], { env: { THERMOS_CONTENT_TYPE: 'json' } });
    expect({ stdout: stdout.slice(0, 8), status }).toEqual({ stdout: 'thermos/', status: 0 });
  });
});

test('one parsable line with the version', () => {
  const { stdout, stderr, status } = thermos(['--version']);
  expect(stdout).toMatch(/^thermos\/\d+\.\d+\.\d+\n$/);
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
  expect(thermos(['version']).stdout).toBe(stdout);
  const document = JSON.parse(thermos(['--version', '--json']).stdout);
  expect(violations('version', document)).toEqual([]);
  expect(`thermos/${document.version}\n`).toBe(stdout);
});

test('no command reads stdin: a shell loop goes round for each line', () => {
  const { stdout } = shell("printf 'a\\nb\\nc\\n' | while read x; do thermos help >/dev/null; echo $x; done");
  expect(stdout).toBe('a\nb\nc\n');
});

describe('colour', () => {
  test.each<[string, string, Record<string, string>, boolean]>([
    ['on a terminal', 'thermos help', {}, true],
    ['on a terminal, stderr elsewhere', 'thermos help 2>/dev/null', {}, true],
    ['on a pipe', 'thermos help | cat', {}, false],
    ['--no-color', 'thermos help --no-color', {}, false],
    ['--no-color before the command', 'thermos --no-color help', {}, false],
    ['--no-color with --help', 'thermos version --help --no-color', {}, false],
    ['NO_COLOR', 'thermos help', { NO_COLOR: '1' }, false],
    ['NO_COLOR empty', 'thermos help', { NO_COLOR: '' }, true],
    ['TERM=dumb', 'thermos help', { TERM: 'dumb' }, false],
    ['FORCE_COLOR on a pipe', 'thermos help | cat', { FORCE_COLOR: '1' }, true],
    ['FORCE_COLOR=0', 'thermos help', { FORCE_COLOR: '0' }, false],
    ['FORCE_COLOR and NO_COLOR', 'thermos help', { FORCE_COLOR: '1', NO_COLOR: '1' }, false],
    ['FORCE_COLOR and --no-color', 'thermos help --no-color', { FORCE_COLOR: '1' }, false],
    ['--json', 'thermos help --json', { FORCE_COLOR: '1' }, false],
  ])('%s', (_what, line, env, coloured) => {
    const output = onTerminal(line, env);
    expect(output).toContain('USAGE');
    expect(output.includes(BOLD)).toBe(coloured);
    if (!coloured) expect(output).not.toContain('\u001b');
  });
});

describe('stdout', () => {
  test.each(['help', 'version', '--version', 'version --json'])('%s on a full device is an error', (line) => {
    const { stderr, status } = shell(`thermos ${line} > /dev/full`);
    expect({ stderr, status }).toEqual({
      stderr: 'error: cannot write to stdout: no space left on device\n',
      status: 5,
    });
  });

  test.each(['help', 'version', '--version'])('%s into a closed pipe ends quietly', (line) => {
    // The reader is gone before the program starts.
    const run = `{ sleep 0.2; thermos ${line}; echo $? >&2; } | true`;
    expect(shell(run).stderr).toBe('0\n');
  });

  test.each(['help', 'version', '--version', 'version --json'])('%s with stdout closed', (line) => {
    const { stdout, stderr, status } = shell(`thermos ${line} >&-`);
    expect({ stdout, stderr, status }).toEqual({ stdout: '', stderr: '', status: 0 });
  });

  test('nothing is lost on a slow pipe', () => {
    const { stdout } = shell('thermos help | (sleep 0.3; cat)');
    expect(stdout).toBe(thermos(['help']).stdout);
  });
});

describe('signals', () => {
  const live = join(FIXTURES, 'host/root');

  test.each([
    ['SIGINT', 130, ['status', '--watch', '--root', live]],
    ['SIGTERM', 143, ['status', '--watch', '--root', live]],
    ['SIGINT', 130, ['read', '--follow', join(live, 'checkpoints/host-live/runner')]],
    ['SIGTERM', 143, ['read', '--follow', join(live, 'checkpoints/host-live/runner')]],
  ] as const)('%s ends with %i: %j', async (signal, status, argv) => {
    const program = startThermos(argv);
    program.stdout?.once('data', () => program.kill(signal));
    const [code, by] = await once(program, 'exit');
    // A shell reports a process that was ended by a signal as 128 and the signal's number.
    expect(by === null ? code : 128 + constants.signals[by as NodeJS.Signals]).toBe(status);
  });
});

test('stderr closed or full does not matter', () => {
  expect(shell('thermos versoin 2>&-').status).toBe(2);
  expect(shell('thermos versoin 2>/dev/full').status).toBe(2);
});

test('a uid that has no name and no HOME, as in containers', () => {
  const uid = process.getuid?.() === 0 ? 4_000_000 : undefined;
  const root = join(FIXTURES, 'host/root');
  for (const words of [`status --root ${root}`, 'help status', 'version']) {
    const { status, stderr } = shell(`unset HOME; thermos ${words}`, { uid });
    expect([words, status, stderr]).toEqual([words, 0, '']);
  }
});
