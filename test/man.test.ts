import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { visibleIds } from '../src/cli/page.js';
import { COMMANDS } from '../src/commands/index.js';
import { REPOSITORY } from './e2e/harness.js';

const MAN = join(REPOSITORY, 'man');
const ORDER = [
  'NAME',
  'SYNOPSIS',
  'DESCRIPTION',
  'COMMANDS',
  'OPTIONS',
  'EXIT STATUS',
  'ENVIRONMENT',
  'FILES',
  'EXAMPLES',
  'SEE ALSO',
];

test('there is a page of each program, of each command and of the codes', () => {
  expect(readdirSync(MAN).sort()).toEqual(
    [
      'thermos.1',
      'thermos-runner.1',
      'thermos-codes.7',
      ...visibleIds(COMMANDS).map((id) => `thermos-${id}.1`),
    ].sort(),
  );
});

test('npm installs all of them: it knows those only that package.json names', () => {
  const { man } = JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8'));
  expect(man.map((path: string) => path.replace('./man/', '')).sort()).toEqual(readdirSync(MAN).sort());
});

describe.each(readdirSync(MAN))('%s', (name) => {
  const source = readFileSync(join(MAN, name), 'utf8');
  const sections = source.match(/^\.SH .*$/gm)?.map((line) => line.slice(4)) ?? [];

  test('has the usual sections in the usual order', () => {
    const usual = ['NAME', 'DESCRIPTION', 'EXIT STATUS', 'SEE ALSO'];
    const ofCommands = ['SYNOPSIS', 'OPTIONS', 'EXAMPLES'];
    const isCommand = name.endsWith('.1');
    expect(sections.filter((section) => ORDER.includes(section))).toEqual(
      ORDER.filter((section) => sections.includes(section)),
    );
    expect(sections).toEqual(expect.arrayContaining(isCommand ? [...usual, ...ofCommands] : usual));
    if (isCommand) expect(ORDER).toEqual(expect.arrayContaining(sections));
  });

  test('is what troff reads as it is meant', () => {
    for (const line of source.split('\n')) {
      expect(line).toMatch(/^(\.(TH|SH|TP|PP|nf|fi|RS|RE|br)( |$)|[^.']|\\&|$)/);
      expect(line).toMatch(/^[ -~]*$/);
      if (!/^\.TH /.test(line)) expect(line.replaceAll('\\-', '')).not.toContain('-');
      expect(
        line.replaceAll(/\\(f[BIR]|e|-|&|\(ga|\(ha|\(ti|\(aq|\(dq|\[u[0-9A-F]{4,6}\])/g, ''),
      ).not.toContain('\\');
    }
  });

  test('groff has nothing to say to it', () => {
    const { error, stderr } = spawnSync('groff', ['-man', '-ww', '-z', '-Tutf8', join(MAN, name)], {
      encoding: 'utf8',
    });
    // Not every machine has groff; what it would find is checked above as far as it goes.
    if ((error as NodeJS.ErrnoException | undefined)?.code !== 'ENOENT') expect(stderr).toBe('');
  });

  test('names only pages that there are', () => {
    const pages = readdirSync(MAN).map((page) => page.replace(/\.[17]$/, ''));
    const named = [...source.matchAll(/\\fB([a-z\\-]+)(?:\(1\)\\fR|\\fR\([17]\))/g)].map(([, page]) =>
      (page as string).replaceAll('\\', ''),
    );
    expect(named.length).toBeGreaterThan(0);
    for (const page of named) expect(pages).toContain(page);
  });
});
