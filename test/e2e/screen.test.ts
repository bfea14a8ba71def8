import { describe, expect, test } from 'vitest';
import { age } from '../../src/text/age.js';
import { writeTask } from '../task/trees.js';
import { contrast, unreadable } from './contrast.js';
import { Emulator } from './emulator.js';
import { ago, expectScreens, ORDINARY, screenPlace, startScreen } from './screen.js';

const place = screenPlace();

describe('the emulator', () => {
  test('erases the last letter of a full row, as xterm does', async () => {
    const emulator = new Emulator(5, 2);
    await emulator.write('abcde\u001b[K\r\n');
    expect(emulator.lines).toEqual(['abcd', '']);
    await emulator.write('\u001b[H\u001b[Kabcde');
    expect(emulator.lines).toEqual(['abcde', '']);
  });

  test('tells the modes and what is coloured', async () => {
    const emulator = new Emulator(20, 3);
    await emulator.write('\u001b[?1049h\u001b[?25l\u001b[?7la \u001b[1;31mb\u001b[0m \u001b[2mdim\u001b[0m');
    expect(emulator.modes).toEqual({
      ...ORDINARY,
      alternateScreen: true,
      cursorVisible: false,
      wraps: false,
    });
    expect(
      emulator.styled.map(({ column, text, foreground, bold, dim }) => [column, text, foreground, bold, dim]),
    ).toEqual([
      [3, 'b', 'red', true, false],
      [5, 'dim', undefined, false, true],
    ]);
    await emulator.write('\u001b[?7h\u001b[?25h\u001b[?1049l');
    expect(emulator.modes).toEqual(ORDINARY);
    expect(emulator.lines).toEqual(['', '', '']);
  });
});

describe('the contrast', () => {
  test('of black and white is 21', () => {
    expect(contrast([0, 0, 0], [255, 255, 255])).toBeCloseTo(21);
    expect(contrast([255, 255, 255], [255, 255, 255])).toBe(1);
  });

  test.each([
    ['\u001b[33mWAITING', undefined],
    ['\u001b[31ma whole sentence in red, which is dark enough', undefined],
    ['\u001b[2mwhat is dim', undefined],
    ['\u001b[93mbright', "'bright' at 1,1 has a contrast of 1.1 on a light background"],
    ['\u001b[30mblack', "'black' at 1,1 has a contrast of 1.0 on a dark background"],
    ['\u001b[38;5;200mpink', "'pink' at 1,1 has a colour that is not one of the sixteen"],
    [
      '\u001b[33ma whole sentence in yellow',
      "'a whole sentence in yellow' at 1,1 is long for a contrast of 1.7 on a light background",
    ],
  ])('of %j', async (text, why) => {
    const emulator = new Emulator(80, 1);
    await emulator.write(text);
    expect(emulator.styled.map(unreadable)).toEqual([why]);
  });
});

describe('the terminal of a test', () => {
  test('has a size, settings, an end', async () => {
    const screen = startScreen(['version'], { columns: 30, rows: 5 });
    expect(await screen.ended).toBe(0);
    expect(screen.lines[0]).toMatch(/^thermos\/\d/);
    expect(screen.lines).toHaveLength(5);
    expect([screen.settingsKept, screen.modes]).toEqual([true, ORDINARY]);
  });

  test('shows the screens that are kept', async () => {
    await expectScreens('version', ['version']);
  });

  test('is resized, and the program is told', async () => {
    writeTask(place.root, 't');
    const screen = startScreen(['status', '--watch', '--root', place.root], { columns: 60, rows: 9 });
    await screen.until('1 task');
    expect(screen.settings).toContain('rows 9; columns 60;');
    expect(screen.modes.alternateScreen).toBe(true);
    screen.resize(100, 12);
    await screen.until(({ lines }) => lines.length === 12 && lines.join().includes('1 task'));
    expect(screen.settings).toContain('rows 12; columns 100;');
    screen.type('\u0003');
    expect(await screen.ended).toBe(130);
    expect([screen.settingsKept, screen.modes]).toEqual([true, ORDINARY]);
  });

  test('gives it back to the shell while the program is stopped', async () => {
    writeTask(place.root, 't');
    const screen = startScreen(['status', '--watch', '--root', place.root]);
    await screen.until('1 task');
    screen.signal('SIGSTOP');
    await screen.stopped();
    await screen.foreground();
    screen.signal('SIGTERM');
    expect(await screen.ended).toBe(143);
  });

  test('vanishes', async () => {
    writeTask(place.root, 't');
    const screen = startScreen(['status', '--watch', '--root', place.root]);
    await screen.until('1 task');
    const { pid } = screen;
    screen.vanish();
    // The program notices it, too, and ends as by SIGHUP.
    expect(await screen.ended).toBe(129);
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });
});

test('an age is the same for a while', () => {
  const now = Date.now();
  expect([age(ago(3, 'h'), now + 20_000), age(ago(3, 'd'), now + 60_000)]).toEqual(['3h30m', '3d12h']);
});
