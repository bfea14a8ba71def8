import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { FAILED, RAN, Records, writeTask } from '../task/trees.js';
import { FIXTURES, thermos } from './harness.js';
import { ago, expectScreens, screenPlace, startScreen } from './screen.js';
import { json } from './tasks.js';

const HOST = join(FIXTURES, 'host', 'root');
const MESOS = join(FIXTURES, 'mesos');

const place = screenPlace();

const ids = (args: string[]) =>
  thermos(['status', '-q', ...args])
    .stdout.trimEnd()
    .split('\n');
const idsOf = (answer: ReturnType<typeof json>) =>
  answer.json.tasks.map(({ task_id }: { task_id: string }) => task_id);

describe('the order', () => {
  const byAge = ['host-dead', 'host-live', 'host-kill', 'host-ok-2', 'host-bad', 'other.name', 'host-ok-1'];

  test('is the same for the table, ids and the document, but a document without an order is streamed', () => {
    expect(ids(['--root', HOST])).toEqual(byAge);
    const { stdout } = thermos(['status', '--root', HOST, '--columns', 'TASK']);
    expect(stdout.trimEnd().split('\n')).toEqual(['TASK', ...byAge]);
    expect(idsOf(json('status', ['--root', HOST]))).toEqual(byAge.toSorted((a, b) => order(a, b)));
    const sorted = ['--root', HOST, '--sort', 'id', '--reverse'];
    expect([ids(sorted), idsOf(json('status', sorted))]).toEqual([
      byAge.toSorted().toReversed(),
      byAge.toSorted().toReversed(),
    ]);
  });

  /** Active tasks before finished ones, then by id. */
  const order = (a: string, b: string) => {
    const active = (id: string) => Number(id === 'host-dead' || id === 'host-live');
    return active(b) - active(a) || (a < b ? -1 : 1);
  };

  test('with a limit, the first ones are shown, and it is said how many are not', () => {
    const flags = ['--root', HOST, '--limit', '3'];
    const text = thermos(['status', ...flags]);
    expect([text.status, text.stderr]).toEqual([0, '4 more tasks are not shown, because of --limit.\n']);
    expect(ids(flags)).toEqual(byAge.slice(0, 3));
    const answer = json('status', flags);
    expect([idsOf(answer), answer.json.tasks_left_out, answer.stderr]).toEqual([
      byAge.slice(0, 3),
      4,
      text.stderr,
    ]);
    const one = thermos(['status', '--root', HOST, '--limit', '6']);
    expect(one.stderr).toBe('1 more task is not shown, because of --limit.\n');
    const all = thermos(['status', '--json', '--root', HOST, '--limit', '7']);
    expect([JSON.parse(all.stdout).tasks_left_out, all.stderr]).toEqual([undefined, '']);
  });
});

describe('filters', () => {
  test('failed: FAILED, LOST, or a verdict other than ok', () => {
    expect(ids(['--root', HOST, '--failed'])).toEqual(['host-dead', 'host-live', 'host-bad']);
    expect(idsOf(json('status', ['--root', HOST, '--failed']))).toEqual([
      'host-dead',
      'host-live',
      'host-bad',
    ]);
  });

  test('since a time, or for a duration', () => {
    const since = (time: string) => ids(['--root', place.root, '--since', time]);
    const over = (hours: number) => new Records().status('SUCCESS', Date.now() - hours * 3_600_000);
    writeTask(place.root, 'old', { phase: 'finished', runner: over(30) });
    writeTask(place.root, 'new', { phase: 'finished', runner: over(2) });
    expect(since('3h')).toEqual(['new']);
    expect(since('2d')).toEqual(['new', 'old']);
    expect(since(new Date(Date.now() - 3 * 3_600_000).toISOString())).toEqual(['new']);
    expect(since('0')).toEqual(['new', 'old']);
  });

  test('active alone: the files of finished tasks are not opened', () => {
    writeTask(place.root, 'runs', { runner: new Records().status('ACTIVE', Date.now()) });
    // It would be reported as damaged, and its stream as unreadable.
    writeTask(place.root, 'over', { phase: 'finished', task: '{', runner: null });
    const answer = json('status', ['--root', place.root, '--only', 'active']);
    expect([answer.status, idsOf(answer), answer.stderr]).toEqual([0, ['runs'], '']);
    expect(json('status', ['--root', place.root]).status).toBe(5);
  });
});

test.each([
  [
    ['--columns', 'task,pid'],
    'task, phase, state, verdict, user, done, failed, age, agent, owner, root, cpu, rss or disk',
  ],
  [['--sort', 'size'], 'age, state, id, user or failures'],
  [['--limit', '0'], '1'],
  [['--limit', 'many'], 'many'],
  [['--since', 'noon'], '2h, 14:30, 2014-05-13T16:53:20Z or 1400000000'],
  [['--columns', 'task', '--wide'], '--wide'],
  [['--columns', 'task', '--json'], '--json'],
  [['--wide', '--quiet'], '--quiet'],
])('%j: exit 2, and what is possible', (flags, known) => {
  const { status, stdout, stderr } = thermos(['status', '--root', HOST, ...flags]);
  expect([status, flags.includes('--json') ? '' : stdout]).toEqual([2, '']);
  expect(stdout + stderr).toContain(known);
});

test('on a pipe nothing is dropped or cut, whatever the width; wide has all columns there, too', () => {
  const env = { COLUMNS: '40' };
  const whole = thermos(['status', '--mesos-root', MESOS]).stdout;
  expect(thermos(['status', '--mesos-root', MESOS], { env }).stdout).toBe(whole);
  expect(whole).toMatch(/^TASK +PHASE +STATE +VERDICT +USER +DONE +FAILED +AGE\n/);
  const wide = thermos(['status', '--mesos-root', MESOS, '--wide'], { env }).stdout;
  expect(wide).toMatch(/^TASK +PHASE +STATE +VERDICT +USER +DONE +FAILED +AGE +OWNER +ROOT\n/);
});

describe('on a terminal', () => {
  const UUIDS = ['9c12e5c5-32ee', 'ef430183-e62c', '76c04a39-9ede', 'b97dd6f9-2aa6', 'b97dd6f9-7777'];
  const tasks = [
    ['web-12', 'FAILED', 2, 'www-data'],
    ['web-3', 'SUCCESS', 3, 'www-data'],
    ['recommendations-of-the-day-0', 'LOST', 5, 'www-data'],
    ['web-4', 'SUCCESS', 26, 'www-data'],
    ['web-4', 'KILLED', 50, 'www-data'],
  ] as const;

  const writeTasks = () => {
    for (const [i, [job, state, hours, user]] of tasks.entries()) {
      const id = `${user}-prod-${job}-${UUIDS[i]}-5b2d-884a-c9b9a66942f0`;
      const runner = new Records()
        .status('ACTIVE', ago(hours, 'h'))
        .header({ task_id: id, user, uid: 33, sandbox: '/srv', launch_time_ms: ago(hours, 'h') })
        .process('serve', ...(state === 'SUCCESS' ? RAN : FAILED))
        .status(state, ago(hours, 'h'));
      const task = { name: job.replace(/-\d+$/, ''), processes: [{ name: 'serve', cmdline: 'true' }] };
      writeTask(place.root, id, { phase: 'finished', runner, task });
    }
  };

  test('ids are shown by what tells them apart, and the columns that have room', async () => {
    writeTasks();
    await expectScreens('status', ['status', '--root', place.root]);
  });

  test('whole ids take the room of columns if that is asked for', async () => {
    writeTasks();
    const screen = startScreen(['status', '--no-trunc', '--root', place.root], { columns: 80 });
    expect(await screen.ended).toBe(0);
    expect(screen.lines.join('\n')).toContain('www-data-prod-web-12-9c12e5c5-32ee-5b2d-884a-c9b9a66942f0');
  });
});
