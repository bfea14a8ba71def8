import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { REPOSITORY, shell } from './harness.js';

const readme = readFileSync(join(REPOSITORY, 'README.md'), 'utf8');

interface Shown {
  command: string;
  output: string;
}

/** The commands of the `console` blocks, each with the output shown below it. */
function shownIn(text: string): Shown[] {
  return [...text.matchAll(/```console\n([\s\S]*?)```/g)].flatMap(([, block = '']) =>
    block
      .split(/^\$ /m)
      .slice(1)
      .map((part) => {
        const end = part.indexOf('\n');
        return { command: part.slice(0, end), output: part.slice(end + 1).trimEnd() };
      }),
  );
}

describe('README', () => {
  const shown = shownIn(readme).filter(({ command }) => command.startsWith('thermos '));

  it('shows commands with their output', () => {
    expect(shown.length).toBeGreaterThan(5);
  });

  it.each(shown)('$command prints what is shown', ({ command, output }) => {
    const { stdout } = shell(command, { cwd: REPOSITORY });
    expect(stdout.replaceAll(REPOSITORY, '/home/you/thermos').trimEnd()).toBe(output);
  });
});
