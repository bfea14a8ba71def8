import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { violations } from '../contracts/validate.js';
import { cleanEnv, PROGRAM, REPOSITORY, shell, tempDir, thermos } from './harness.js';

const temp = tempDir();
afterAll(temp.remove);
const root = join(temp.path, 'root');

/** Tasks with everything in their names that a shell has an opinion of; those of which it must not be told last. */
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
  ...[
    'a$(touch pwned)',
    'b`touch pwned`',
    'c!x',
    'd*?[x]',
    'e\\n',
    'f{a,b}',
    'g;h&|<>',
    'h"q',
    'j~k',
    'x=~root',
  ],
  ...['~root', '=ls', '#hash', '%1', '^h', '!x', '--yes'],
  ...['evil\nid', 'www-0\u200b', '\u3164', 'tab\there'],
  Buffer.from([0x62, 0x79, 0xff]),
];

function makeTask(root: string, id: string | Buffer, phase = 'active'): void {
  const below = (folder: string) => Buffer.concat([Buffer.from(join(root, folder, '/')), Buffer.from(id)]);
  mkdirSync(join(root, 'tasks', phase), { recursive: true });
  mkdirSync(below('checkpoints'), { recursive: true });
  const processes = [{ name: 'setup' }, { name: 'the server' }];
  writeFileSync(below(`tasks/${phase}`), JSON.stringify({ name: 'x', processes }));
}

beforeAll(() => {
  for (const id of IDS) makeTask(root, id);
  makeTask(root, 'over-1', 'finished');
  writeFileSync(join(root, 'checkpoints/www-0/coordinator.started'), '');
  mkdirSync(join(root, 'sandboxes/my task/conf/site two'), { recursive: true });
  writeFileSync(join(root, 'sandboxes/my task/conf/site two/file'), '');
});

describe('in bash', () => {
  const functions = join(temp.path, 'functions.bash');
  beforeAll(() => writeFileSync(functions, thermos(['completion', 'bash']).stdout));

  /** Calls the function as readline does: with the words, split at the word breaks, as they were typed. */
  function completions(...words: string[]): string[] {
    const line = words.join(' ').replaceAll(/ ([:=]) ?/g, '$1');
    const script = `
      source '${functions}'
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
    [
      ['thermos', 'status', '--', '-'],
      ['--yes', '-n'],
    ],
    [['thermos', 'status', '--y'], []],
    [['thermos', 'kill', '--y'], ['--yes']],
    [['thermos', 'status', '~r'], ['\\~root']],
    [['thermos', 'status', 'x', '=', ''], ['\\~root']],
    [['thermos', 'status', 'a'], ['a\\$\\(touch\\ pwned\\)']],
    [['thermos', 'status', 'by'], []],
    [['thermos', 'status', 'tab'], []],
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
    [['thermos', 'status', 'ov'], ['over-1']],
    [['thermos', 'kill', 'ov'], []],
    [['thermos', 'kill', 'www-1'], ['www-1']],
    [
      ['thermos', 'wait', 'www-1', '--for', ''],
      ['process=setup:', 'process=the\\ server:'],
    ],
    [['thermos', 'wait', 'www-1', '--for', 'process', '=', 'th'], ['the\\ server:']],
    [['thermos', 'wait', 'www-1', '--for', 'process', '=', 'the\\ server', ':', 'RU'], ['RUNNING']],
    [['thermos', 'status', '--state', 'LOST,K'], ['LOST,KILLED']],
    [['thermos', 'status', '--columns', '=', 'task,us'], ['task,user']],
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
});

/**
 * In each shell the function answers for the program, and shows the words that it would be run with. `list`: the lines
 * that make the shell list the candidates for the end of each.
 */
const SHELLS = {
  bash: {
    start: 'bash --noprofile --rcfile "$RC" -i',
    rc: `
      PS1= PS2=; bind 'set enable-bracketed-paste off'; bind 'set bell-style none'
      thermos() {
        if [[ $1 == __complete || $1 == completion ]]; then "$NODE" "$PROGRAM" "$@"
        else printf '<%s>' ran "$@"; echo; fi
      }
      source <(thermos completion bash)\n`,
    list: (...lines: string[]) => lines.map((line) => `${line}\t\t`),
  },
  zsh: {
    start: 'ZDOTDIR="$RC.d" zsh -d -i',
    rc: `
      PS1= PS2= RPS1= PROMPT_SP=; unset zle_bracketed_paste; setopt no_beep bang_hist extended_glob
      autoload -U compinit; compinit -u -D
      thermos() {
        if [[ $1 == __complete || $1 == completion ]]; then "$NODE" "$PROGRAM" "$@"
        else printf '<%s>' ran "$@"; echo; fi
      }
      source <(thermos completion zsh)\n`,
    list: (...lines: string[]) => lines.map((line) => `${line}\t`),
  },
  fish: {
    start: 'fish -i',
    rc: `
      function fish_prompt; end; function fish_title; end; function fish_greeting; end
      function thermos
        if contains -- "$argv[1]" __complete completion; "$NODE" "$PROGRAM" $argv
        else; printf '<%s>' ran $argv; echo; end
      end
      thermos completion fish | source\n`,
    // Its list is drawn in pieces; this prints what would be in it.
    list: (...lines: string[]) => lines.map((line) => `complete -C '${line}'`),
  },
} as const;
type ShellName = keyof typeof SHELLS;

/** What the shell prints when the lines are typed with real keys; undefined where it isn't installed. */
function printed(name: ShellName, taskRoot: string, lines: readonly string[]): string | undefined {
  if (spawnSync(name, ['-c', 'exit']).error !== undefined) return undefined;
  const home = mkdtempSync(join(temp.path, 'home-'));
  const rc = join(home, 'rc');
  mkdirSync(`${rc}.d`);
  mkdirSync(join(home, 'fish'));
  for (const path of [rc, `${rc}.d/.zshrc`, join(home, 'fish', 'config.fish')]) {
    writeFileSync(path, SHELLS[name].rc);
  }
  const { stdout } = spawnSync('script', ['-qec', SHELLS[name].start, '/dev/null'], {
    env: cleanEnv({
      THERMOS_ROOT: taskRoot,
      TERM: 'dumb',
      HISTFILE: '/dev/null',
      HOME: home,
      XDG_CONFIG_HOME: home,
      XDG_DATA_HOME: home,
      RC: rc,
      NODE: process.execPath,
      PROGRAM,
    }),
    cwd: home,
    input: `${lines.join('\n')}\nexit\n`,
    encoding: 'utf8',
  });
  expect(existsSync(join(home, 'pwned'))).toBe(false);
  return stdout;
}

/** The words that the lines run the program with. */
function ranIn(output: string): string[] {
  return [...output.matchAll(/<ran>(.*?)\r?\n/g)].map(([, words]) => words as string);
}

describe.each(Object.keys(SHELLS) as ShellName[])('in a real %s, with a real key', (name) => {
  const lines: [line: string, ran: string][] = [
    ['thermos versi\t', '<version>'],
    ['thermos status my\t', '<status><my task>'],
    ['thermos status "my t\t', '<status><my task>'],
    ["thermos status 'my t\t", '<status><my task>'],
    ['thermos status it\t', "<status><it's>"],
    ['thermos status role:env:tw\t', '<status><role:env:two words>'],
    ['thermos status "role:env:tw\t', '<status><role:env:two words>'],
    ['thermos status \\$H\t', '<status><$HOME>'],
    ['thermos status -- -n\t', '<status><--><-n>'],
    ['thermos status -- --y\t', '<status><--><--yes>'],
    ['thermos tail my\t the\t', '<tail><my task><the server>'],
    ['thermos cat my\t', '<cat><my task:>'],
    ['thermos cat my\tco\tsite\t', '<cat><my task:conf/site two/>'],
    ['thermos version --js\t', '<version><--json>'],
    ['thermos kill my\t', '<kill><my task>'],
    ['thermos kill over\t', '<kill><over>'],
    ['thermos status --state LOST,FA\t', '<status><--state><LOST,FAILED>'],
    ['thermos wait my\t --for p\tth\tRU\t', '<wait><my task><--for><process=the server:RUNNING>'],
    ['thermos wait role:env:o\t --for process=s\tW\t', '<wait><role:env:one><--for><process=setup:WAITING>'],
    ['thermos status a\t', '<status><a$(touch pwned)>'],
    ['thermos status b\t', '<status><b`touch pwned`>'],
    ['thermos status c\t', '<status><c!x>'],
    ['thermos status d\t', '<status><d*?[x]>'],
    ['thermos status e\t', '<status><e\\n>'],
    ['thermos status f\t', '<status><f{a,b}>'],
    ['thermos status g\t', '<status><g;h&|<>>'],
    ['thermos status h\t', '<status><h"q>'],
    ['thermos status j\t', '<status><j~k>'],
    ['thermos status x\t', '<status><x=~root>'],
    ['thermos status \\#\t', '<status><#hash>'],
  ];

  // Where it is the only one, it is put in at once.
  const alone: [id: string, put: string][] = [
    ['~root', name === 'fish' ? '' : '<~root>'],
    ['=ls', '<=ls>'],
    ['#hash', '<#hash>'],
    ['%1', '<%1>'],
    ['!x', '<!x>'],
    ['^h', '<^h>'],
    ['--yes', ''],
    ['-', ''],
    ['www-0\u200b', ''],
    ['evil\nid', ''],
    ['\u3164', ''],
  ];

  test('each name is put in as a word that is the name, or not at all', () => {
    for (const [id, put] of alone) {
      const taskRoot = mkdtempSync(join(temp.path, 'alone-'));
      makeTask(taskRoot, id);
      lines.push([`thermos status --root ${taskRoot} \t`, `<status><--root><${taskRoot}>${put}`]);
    }
    const output = printed(
      name,
      root,
      lines.map(([line]) => line),
    );
    if (output !== undefined) expect(ranIn(output)).toEqual(lines.map(([, words]) => words));
  });

  test('tasks and flags are listed with what they are, except in bash', () => {
    const taskRoot = mkdtempSync(join(temp.path, 'listed-'));
    cpSync(join(REPOSITORY, 'fixtures/host/root'), taskRoot, { recursive: true });
    for (const id of ['%F{red}a', '$(touch pwned)', 'b:c']) makeTask(taskRoot, id);
    const output = printed(name, taskRoot, SHELLS[name].list('thermos tail ', 'thermos tail --no-'));
    if (output === undefined) return;
    const texts = new Map<string, string>();
    for (const line of stripVTControlCharacters(output).replaceAll('\r', '').split('\n')) {
      const [, word, text] = /^(\S.*?)(?:\t| {2,})(.*?) *$/.exec(line) ?? [];
      if (word !== undefined && text !== undefined) texts.set(word, text);
    }
    if (name === 'bash') {
      expect(output).not.toMatch(/UNKNOWN|FAILED|Print/);
      return;
    }
    for (const id of ['%F{red}a', '$(touch pwned)', 'b:c']) expect(texts.get(id)).toBe('UNKNOWN, unknown');
    expect(texts.get('host-bad')).toMatch(/^FAILED, \w+, root$/);
    expect(texts.get('--no-prefix')).toBe('Print lines without a prefix.');
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
    expect(stderr).toContain('bash, zsh or fish');
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
    expect(thermos(['__complete', '--describe', 'zsh', '--', 'status', 'my'], { env }).stdout).toBe(
      'my task\tUNKNOWN, unknown\n',
    );
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
