import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { violations } from '../contracts/validate.js';
import { cleanEnv, PROGRAM, shell, tempDir, thermos } from './harness.js';

const temp = tempDir();
afterAll(temp.remove);
const root = join(temp.path, 'root');

/** Tasks with everything in their names that a shell has an opinion of. */
const IDS = [
  'www-0',
  'www-1',
  'my task',
  "it's",
  'role:env:one',
  'role:env:two words',
  '$HOME',
  '-n',
  'ünï',
  'evil\nid',
];

beforeAll(() => {
  for (const id of IDS) {
    mkdirSync(join(root, 'tasks/active'), { recursive: true });
    mkdirSync(join(root, 'checkpoints', id), { recursive: true });
    const processes = [{ name: 'setup' }, { name: 'the server' }];
    writeFileSync(join(root, 'tasks/active', id), JSON.stringify({ name: 'x', processes }));
  }
  writeFileSync(join(root, 'checkpoints/www-0/coordinator.started'), '');
});

describe('in bash', () => {
  /** Calls the function as readline does: with the words, split at the word breaks, as they were typed. */
  function completions(...words: string[]): string[] {
    const line = words.join(' ').replaceAll(/ ([:=]) ?/g, '$1');
    const script = `
      source <(thermos completion bash)
      COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE=$LINE COMP_POINT=\${#LINE}
      _thermos
      (( \${#COMPREPLY[@]} )) && printf '%s\\n' "\${COMPREPLY[@]}"; true`;
    const result = spawnSync(
      'bash',
      ['-c', `thermos() { '${process.execPath}' '${PROGRAM}' "$@"; }; ${script}`, 'bash', ...words],
      { env: cleanEnv({ LINE: line, THERMOS_ROOT: root }), encoding: 'utf8' },
    );
    expect({ stderr: result.stderr, status: result.status }).toEqual({ stderr: '', status: 0 });
    return result.stdout.split('\n').slice(0, -1);
  }

  test.each<[string[], string[]]>([
    [['thermos', 'versi'], ['version']],
    [
      ['thermos', 'status', 'www'],
      ['www-0', 'www-1'],
    ],
    [['thermos', 'status', 'www-0', 'www'], ['www-1']],
    [['thermos', 'status', 'my'], ['my\\ task']],
    [['thermos', 'status', 'my\\ ta'], ['my\\ task']],
    [['thermos', 'status', "'my ta"], ['my task']],
    [['thermos', 'status', 'it'], ["it\\'s"]],
    [
      ['thermos', 'status', 'role', ':', 'e'],
      ['env:one', 'env:two\\ words'],
    ],
    [
      ['thermos', 'status', 'role', ':', 'env', ':', ''],
      ['one', 'two\\ words'],
    ],
    [['thermos', 'status', 'role', ':', 'env', ':', 'o'], ['one']],
    [['thermos', 'status', '--', '\\$'], ['\\$HOME']],
    [['thermos', 'status', '--', '-'], ['-n']],
    [['thermos', 'status', 'ü'], ['ünï']],
    [['thermos', 'status', 'ev'], []],
    [['thermos', 'status', '--root', '/nonesuch', ''], []],
    [['thermos', 'status', '--root', '=', '/nonesuch', 'w'], []],
    [
      ['thermos', 'completion', ''],
      ['bash', 'fish', 'zsh'],
    ],
    [['thermos', 'version', '--js'], ['--json']],
    [['thermos', 'nonesuch', ''], []],
  ])('%j', (words, candidates) => {
    expect(completions(...words)).toEqual(candidates);
  });

  test('tail: the processes of the task, from its file and from disk', () => {
    expect(completions('thermos', 'tail', 'www-0', '')).toEqual(['setup', 'started', 'the\\ server']);
    expect(completions('thermos', 'tail', '--lines', '5', 'my\\ task', 'the')).toEqual(['the\\ server']);
    expect(completions('thermos', 'tail', 'role', ':', 'env', ':', 'one', 's')).toEqual(['setup']);
  });

  test('the cursor in the middle of a word', () => {
    const script = `
      source <(thermos completion bash)
      COMP_WORDS=(thermos status www-0 --json) COMP_CWORD=2
      COMP_LINE='thermos status www-0 --json' COMP_POINT=17
      _thermos; printf '%s ' "\${COMPREPLY[@]}"`;
    expect(shell(script, { env: { THERMOS_ROOT: root } }).stdout).toBe('www-0 www-1 ');
  });

  test('in a real one, with a real key', () => {
    // The function answers for the program, and shows the words it would be run with.
    const setup = `
      PS1= PS2=; bind 'set enable-bracketed-paste off'; bind 'set bell-style none'
      thermos() {
        if [[ $1 == __complete || $1 == completion ]]; then '${process.execPath}' '${PROGRAM}' "$@"
        else printf '<%s>' ran "$@"; echo; fi
      }
      source <(thermos completion bash)\n`;
    writeFileSync(join(temp.path, 'bashrc'), setup);
    const lines = [
      'thermos versi\t',
      'thermos status my\t',
      'thermos status "my t\t',
      "thermos status 'my t\t",
      'thermos status it\t',
      'thermos status role:env:tw\t',
      'thermos status "role:env:tw\t',
      'thermos status -- \\$H\t',
      'thermos tail my\t the\t',
      'thermos version --js\t',
    ];
    const result = spawnSync(
      'script',
      ['-qec', `bash --noprofile --rcfile '${temp.path}/bashrc' -i`, '/dev/null'],
      {
        env: cleanEnv({ THERMOS_ROOT: root, TERM: 'dumb', HISTFILE: '/dev/null' }),
        cwd: temp.path,
        input: `${lines.join('\n')}\nexit\n`,
        encoding: 'utf8',
      },
    );
    const ran = result.stdout.split(/\r?\n/).filter((line) => line.startsWith('<ran>'));
    expect(ran).toEqual([
      '<ran><version>',
      '<ran><status><my task>',
      '<ran><status><my task>',
      '<ran><status><my task>',
      "<ran><status><it's>",
      '<ran><status><role:env:two words>',
      '<ran><status><role:env:two words>',
      '<ran><status><--><$HOME>',
      '<ran><tail><my task><the server>',
      '<ran><version><--json>',
    ]);
  });
});

describe('the script', () => {
  test.each(['bash', 'zsh', 'fish'])('of %s says nothing that its shell does not understand', (name) => {
    const { stdout, status } = thermos(['completion', name]);
    expect(status).toBe(0);
    expect(stdout).toContain(`thermos __complete`);
    expect(stdout).toContain(`thermos completion ${name}`);
    // From a file: fish takes the socket that stdin would be for a directory.
    const script = join(temp.path, `script.${name}`);
    writeFileSync(script, stdout);
    const check = spawnSync(name, ['-n', script], { encoding: 'utf8' });
    // Where the shell isn't installed, only what holds for all three can be said.
    if (check.error === undefined) {
      expect({ status: check.status, stderr: check.stderr }).toEqual({ status: 0, stderr: '' });
    }
    for (const [open, close] of ['()', '{}', '[]']) {
      expect(stdout.split(open as string).length).toBe(stdout.split(close as string).length);
    }
    expect(JSON.parse(thermos(['completion', name, '--json']).stdout)).toEqual({
      shell: name,
      script: stdout,
    });
  });

  test('as JSON', () => {
    expect(violations('completion', JSON.parse(thermos(['completion', 'zsh', '--json']).stdout))).toEqual([]);
  });

  test('of no other shell', () => {
    const { stdout, stderr, status } = thermos(['completion', 'tcsh']);
    expect({ stdout, status }).toEqual({ stdout: '', status: 2 });
    expect(stderr).toContain('bash, zsh, fish');
  });
});

describe('__complete', () => {
  test('never complains', () => {
    for (const argv of [
      [],
      ['--bogus'],
      ['bash'],
      ['bash', '--', ''],
      ['zsh', '--', 'status', '--root', '/nonesuch', ''],
    ]) {
      const { stderr, status } = thermos(['__complete', ...argv]);
      expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
    }
  });

  test('gives zsh and fish the candidates as they are: they quote themselves', () => {
    const env = { THERMOS_ROOT: root };
    expect(thermos(['__complete', 'zsh', '--', 'status', 'my'], { env }).stdout).toBe('my task\n');
    expect(thermos(['__complete', 'fish', '--', 'status', 'role:env:t'], { env }).stdout).toBe(
      'role:env:two words\n',
    );
  });

  test('is not told of', () => {
    expect(thermos(['help']).stdout).not.toContain('__complete');
    expect(thermos(['complete']).stderr).not.toContain('__complete');
  });
});
