import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { cleanEnv, PROGRAM, tempDir, thermos } from './harness.js';

let dir: ReturnType<typeof tempDir>;
beforeEach(() => {
  dir = tempDir();
});
afterEach(() => dir.remove());

/** What a line of bash writes on a terminal of its own, 80 columns wide, and its exit status. */
function onTerminal(
  line: string,
  env: Record<string, string> = {},
): Promise<{ text: string; status: number }> {
  const script = `thermos() { '${process.execPath}' '${PROGRAM}' "$@"; }; stty cols 80; ${line}`;
  const child = spawn('script', ['-qefc', script, '/dev/null'], {
    env: cleanEnv({ SHELL: '/bin/bash', TERM: 'xterm', ...env }),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.on('data', (chunk) => {
    text += String(chunk);
  });
  return new Promise((resolve) => child.once('close', (status) => resolve({ text, status: status ?? -1 })));
}

const DOTS = /[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]/;
const CLEARED_LINE = '\u001b[1G\u001b[0K';
const HIDDEN_CURSOR = '\u001b[?25l';

describe('progress', () => {
  /** A config that computes for so long. */
  function slowConfig(seconds: number): string {
    const path = join(dir.path, 'slow.thermos');
    const lines = [
      'import time',
      `end = time.time() + ${seconds}`,
      'while time.time() < end: pass',
      "export(Task(name='slow', processes=[Process(name='p', cmdline='true')]))",
    ];
    writeFileSync(path, lines.join('\n'));
    return path;
  }

  test('is drawn on the terminal on stderr, as that can show it', async () => {
    const inspect = `thermos inspect ${slowConfig(2)} >/dev/null`;
    const [drawn, plain, ascii, narrow] = await Promise.all([
      onTerminal(inspect),
      onTerminal(inspect, { NO_COLOR: '1' }),
      onTerminal(inspect, { LANG: 'C' }),
      onTerminal(`stty cols 20; ${inspect}`),
    ]);
    for (const { text, status } of [drawn, plain, ascii, narrow]) {
      expect(status).toBe(0);
      expect(text.slice(-CLEARED_LINE.length)).toBe(CLEARED_LINE);
      expect(text).not.toContain(HIDDEN_CURSOR);
    }
    expect(drawn?.text).toMatch(DOTS);
    expect(drawn?.text).toContain('\u001b[36m');
    expect(drawn?.text).toContain(`evaluating ${dir.path}`);
    expect(plain?.text).toMatch(DOTS);
    expect(plain?.text).not.toContain('\u001b[36m');
    expect(ascii?.text).toMatch(/[-\\|/]\S* evaluating/);
    expect(ascii?.text).not.toMatch(DOTS);
    expect(narrow?.text).toMatch(/ evaluating \S{5}…/);
  });

  test('is not drawn where it cannot be, or is not wanted', async () => {
    // It would be drawn after a second.
    const path = slowConfig(1.5);
    const answers = await Promise.all([
      onTerminal(`thermos inspect ${path} 2>&1 >/dev/null | cat`),
      onTerminal(`thermos inspect --json ${path} >/dev/null`),
      onTerminal(`thermos inspect ${path} >/dev/null`, { TERM: 'dumb' }),
      onTerminal(`stty cols 0; thermos inspect ${path} >/dev/null`),
    ]);
    for (const { text, status } of answers) {
      expect(status).toBe(0);
      expect(text).not.toContain('\u001b');
      expect(text).not.toContain('evaluating');
    }
  });

  test('leaves nothing behind when a signal ends it', async () => {
    const root = join(dir.path, 'root');
    const task = [
      '--root',
      root,
      '--task-id',
      'held',
      '--',
      'sh',
      '-c',
      'trap "" TERM; while :; do sleep 1; done',
    ];
    expect(thermos(['simplerun', '--daemon', ...task]).status).toBe(0);
    try {
      const end = (signal: string, command: string) =>
        onTerminal(
          `timeout --foreground --preserve-status -s ${signal} 3 '${process.execPath}' '${PROGRAM}' ${command}`,
        );
      const [wait, kill] = await Promise.all([
        end('INT', `wait --root ${root} held`),
        end('TERM', `kill --root ${root} held`),
      ]);
      expect([wait?.status, kill?.status]).toEqual([130, 143]);
      for (const { text } of [wait, kill]) {
        expect(text).toMatch(DOTS);
        expect(text.slice(-CLEARED_LINE.length)).toBe(CLEARED_LINE);
      }
      expect(wait?.text).toContain('waiting for held to end');
      expect(kill?.text).toContain('ending task held');
    } finally {
      thermos(['kill', '--now', '--root', root, 'held']);
    }
  });
});
