import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { widthOf } from '../../src/text/width.js';
import { shell, tempDir } from './harness.js';

let dir: ReturnType<typeof tempDir>;
beforeEach(() => {
  dir = tempDir();
});
afterEach(() => dir.remove());

/** The lines that `inspect` shows on a terminal of the processes of a config. */
function inspect(processes: object[], columns: number): string[] {
  const config = join(dir.path, 'task.json');
  writeFileSync(config, JSON.stringify({ name: 'x', processes }));
  const line = `SHELL=$(command -v bash) script -qec 'thermos inspect --no-color ${config}' /dev/null </dev/null`;
  const { stdout } = shell(line, {
    env: { COLUMNS: String(columns), TERM: 'xterm' },
  });
  return stdout.replaceAll('\r', '').split('\n');
}

describe('tables on a terminal', () => {
  // Of the last ones string-width 4, which cli-table3 brings, thinks otherwise.
  const names = ['plain', '日本語', 'e\u0301te\u0301', '👩🏽', '\u0915\u094d\u0937\u093f', '🫠', 'ก็'];

  test('are aligned whatever the characters are', () => {
    const lines = inspect(
      names.map((name) => ({ name, cmdline: 'true', max_failures: 7 })),
      80,
    );
    for (const [title, end] of [
      ['PROCESSES', '  7 '],
      ['COMMANDS', '  true'],
    ] as const) {
      const at = lines.indexOf(title);
      const rows = lines.slice(at).filter((line) => line.includes(end));
      const widths = rows.slice(0, names.length).map((line) => widthOf(line.slice(0, line.indexOf(end))));
      expect(rows.length).toBeGreaterThanOrEqual(names.length);
      expect(new Set(widths).size).toBe(1);
    }
  });

  test('wrap command lines beside the names of their processes', () => {
    const cmdline = 'for host in a b c; do\n    scp result.tar.gz "$host:/srv/incoming/" || exit 1\ndone';
    const lines = inspect([{ name: 'copy', cmdline }], 40);
    expect(lines.slice(lines.indexOf('COMMANDS') + 1, -1)).toEqual([
      '  copy  for host in a b c; do',
      '            scp result.tar.gz',
      '        "$host:/srv/incoming/" || exit 1',
      '        done',
    ]);
  });
});
