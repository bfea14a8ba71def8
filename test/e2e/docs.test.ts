import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { Parser } from '@oclif/core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CommandClass, flagsOf } from '../../src/cli/page.js';
import { COMMANDS } from '../../src/commands/index.js';
import { HAS_NATIVE } from '../runner/harness.js';
import { callsIn, lasting, shownIn } from './doc-sessions.js';
import { REPOSITORY, shell, tempDir, thermos } from './harness.js';

/** The lines of the `sh` blocks that are for scripts: what is before `jq`, which not every machine has. */
function queriesIn(text: string): string[] {
  return [...text.matchAll(/^(thermos .*--json.*?) \| jq /gm)].map(([, command = '']) => command);
}

/** Links to files of the repository, with the heading that they lead to. */
function linksIn(text: string): string[] {
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link = '']) => link)
    .filter((link) => !/^[a-z]+:/.test(link));
}

/** As GitHub makes them of headings. */
function anchorsIn(text: string): string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );
}

const PAGES = [
  ...readdirSync(REPOSITORY).filter((name) => name.endsWith('.md')),
  ...readdirSync(join(REPOSITORY, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
].sort();

const textOf = (page: string) => readFileSync(join(REPOSITORY, page), 'utf8');

test('the pages show commands with their output, and commands for scripts', () => {
  const texts = PAGES.map(textOf);
  expect(texts.flatMap(shownIn).length).toBeGreaterThan(12);
  expect(texts.flatMap(queriesIn).length).toBeGreaterThan(4);
});

test.each(PAGES)('the links of %s lead somewhere', (page) => {
  for (const link of linksIn(textOf(page))) {
    const [path = '', anchor] = link.split('#');
    const target = path === '' ? page : join(dirname(page), path);
    expect(`${link}: ${existsSync(join(REPOSITORY, target))}`).toBe(`${link}: true`);
    if (anchor !== undefined) expect(anchorsIn(textOf(target))).toContain(anchor);
  }
});

const CALLS = PAGES.flatMap((page) =>
  callsIn(textOf(page)).map((call) => ({ ...call, page, line: call.words.join(' ') })),
);

test('the pages name calls in blocks and in sentences', () => {
  expect(CALLS.filter(({ isWhole }) => isWhole).length).toBeGreaterThan(20);
  expect(CALLS.filter(({ isWhole }) => !isWhole).length).toBeGreaterThan(20);
});

test.each(CALLS)('thermos $line in $page is a command line that it takes', async ({ words, isWhole }) => {
  const [id = '', ...others] = words;
  // The flags that end it.
  if (/^--(?:version|help)$/.test(id) || others.includes('--help')) return;
  expect(Object.keys(COMMANDS)).toContain(id);
  const command: CommandClass = await COMMANDS[id as keyof typeof COMMANDS]();
  const { args, strict } = command;
  await Parser.parse(others, { args, flags: flagsOf(command) as never, strict }).catch((error: Error) => {
    if (isWhole || !/^Missing \d+ required arg/.test(error.message)) throw error;
  });
});

/** Those that need agents, which `agents.test.ts` starts. */
const ELSEWHERE = ['docs/agents.md'];

const RUNNING = PAGES.filter((page) => !ELSEWHERE.includes(page)).filter(
  (page) => shownIn(textOf(page)).length + queriesIn(textOf(page)).length > 0,
);

/** Root cannot run a command beside a process without the program in C. */
const CAN_EXEC = HAS_NATIVE || process.getuid?.() !== 0;

describe.each(RUNNING.filter((page) => CAN_EXEC || page !== 'docs/exec.md'))('%s', (page) => {
  const text = textOf(page);
  const shown = shownIn(text).filter(({ command }) => command.startsWith('thermos '));

  const queries = queriesIn(text);

  let temp: ReturnType<typeof tempDir>;
  let root: string;
  let pages: string;
  beforeAll(() => {
    temp = tempDir();
    root = join(temp.path, 'root');
    pages = join(temp.path, 'pages');
    mkdirSync(root);
  });
  afterAll(() => temp.remove());

  /** As the reader does, one after the other, on a host of their own whose task root is `root`. */
  function run(command: string) {
    const here = command
      .replaceAll('/tmp/', `${temp.path}/`)
      .replaceAll('/var/run/thermos', root)
      .replaceAll('/var/www/thermos', pages);
    const options = { cwd: REPOSITORY, env: { THERMOS_ROOT: root } };
    const isPlain = /^thermos( [\w./:=,@%+-]+)+$/.test(here);
    return isPlain ? thermos(here.split(' ').slice(1), options) : shell(here, options);
  }

  test.each(shown)('$command prints what is shown', ({ command, output }) => {
    const { stdout } = run(command);
    const printed = stdout
      .replaceAll(REPOSITORY, '/home/you/thermos')
      .replaceAll(root, '/var/run/thermos')
      .replaceAll(pages, '/var/www/thermos')
      .replaceAll(`${temp.path}/`, '/tmp/')
      .replace(new RegExp(`(?<= )${userInfo().username}(?= )`, 'g'), 'root');
    expect(lasting(printed).trimEnd()).toBe(lasting(output));
  });

  test.each(queries)('%s prints JSON', (command) => {
    const { stdout, status } = run(command);
    const lines = stdout.trimEnd().split('\n');
    expect(lines.map((line) => typeof JSON.parse(line))).toEqual(lines.map(() => 'object'));
    expect([0, 1]).toContain(status);
  });
});
