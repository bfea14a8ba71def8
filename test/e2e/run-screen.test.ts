import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { thermos } from './harness.js';
import { expectScreens, screenPlace, startScreen } from './screen.js';

const place = screenPlace();

function config(processes: readonly object[], task: object = {}): string {
  const path = join(place.path, 'web.json');
  const filled = processes.map((process) => ({ min_duration: 0, ...process }));
  writeFileSync(path, JSON.stringify({ name: 'web', finalization_wait: 10, processes: filled, ...task }));
  return path;
}

test('the end of a task: what never started is counted, and the result is last', async () => {
  const later = Array.from({ length: 20 }, (_, i) => ({ name: `worker-${i}`, cmdline: 'true' }));
  const constraints = later.map(({ name }) => ({ order: ['database', name] }));
  // A process that cannot be started has no pid, which would be as long as the machine has been up.
  const sandbox = join(place.path, 'sandbox');
  mkdirSync(join(sandbox, '.logs'), { recursive: true });
  writeFileSync(join(sandbox, '.logs', 'database'), 'in the way');
  const path = config([{ name: 'database', cmdline: 'true' }, ...later], { constraints });
  await expectScreens('run-end', ['run', '--root', place.root, '--sandbox', sandbox, path], {
    normalise: [
      [/\d{8}-\d{6}\.\d{6}/, 'N'],
      [/\d{4}-\d\d-\d\dT[\d:]+\.\d{3}Z/, 'T'],
      [/(?<=after )\d\.\d\d/, 'N'],
      // The path of the place where a row ends in it.
      [/(?<=^mp\/screen-)\w{6}/, 'X'],
    ],
  });
});

test('a process that failed stays in view while more run than there is room for', async () => {
  const running = Array.from({ length: 4 }, (_, i) => ({ name: `web-${i}`, cmdline: 'exec sleep 1000' }));
  const bad = { name: 'bad', cmdline: 'echo no table >&2; exit 7' };
  const path = config([...running, bad], { max_failures: 0 });
  const args = ['run', '--root', place.root, '--task-id', 'web-1', path];
  const screen = startScreen(args, { rows: 10 });
  const sees = (lines: readonly string[], what: RegExp) => lines.some((line) => what.test(line));
  await screen.until(
    ({ lines }) =>
      sees(lines, /^bad +FAILED/) &&
      sees(lines, / 4 running/) &&
      sees(lines, /^and 2 more processes, running/),
  );
  screen.type('\u0003');
  expect(await screen.ended).toBe(130);
  const shown = screen.lines.filter((line) => line !== '').slice(-2);
  expect(shown).toEqual([
    expect.stringMatching(/^web-1: KILLED after [\d.]+s: SIGINT \(Ctrl-C\)$/),
    `see thermos tail --stderr --root ${place.root} web-1 bad`,
  ]);
  const pasted = (shown[1] as string).split(' ').slice(2);
  expect(thermos(pasted).stdout).toContain('no table');
});

test('the terminal vanishes: the program says by its exit code that its output failed', async () => {
  const go = join(place.path, 'go');
  const path = config([{ name: 'web', cmdline: `until [ -e ${go} ]; do sleep 0.1; done` }]);
  const screen = startScreen(['run', '--root', place.root, '--task-id', 'web-1', path]);
  await screen.until(/^web +RUNNING/);
  screen.vanish();
  writeFileSync(go, '');
  // Node itself would abort: 134.
  expect(await screen.ended).toBe(5);
});
