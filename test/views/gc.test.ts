import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { GcDocument } from '../../src/contracts/gc.js';
import { screenRows } from '../../src/text/width.js';
import { gcText } from '../../src/views/gc.js';
import { PIPE, START, TTY } from './task-views.js';

type Task = GcDocument['tasks'][number];
type Action = Task['actions'][number];

const HOUR = 3_600_000;

function action(kind: Action['kind'], path: string, given: Partial<Action> = {}): Action {
  return { kind, path, bytes: 4096, result: 'would-delete', ...given };
}

function task(id: string, given: Partial<Task> = {}): Task {
  return {
    task_id: id,
    root: '/r',
    layout: 'host',
    state: 'SUCCESS',
    finished_ms: START,
    finished_by: 'status',
    reason: 'finished 2h3m ago',
    rule: 'finished',
    actions: [
      action('logs', `/r/sandboxes/${id}/.logs`),
      action('metadata', `/r/checkpoints/${id}`),
      action('metadata', `/r/tasks/finished/${id}`),
    ],
    ...given,
  };
}

function plan(tasks: Task[], given: Partial<GcDocument> = {}): GcDocument {
  const freed = tasks.flatMap(({ actions }) => actions).filter(({ result }) => result === 'would-delete');
  return {
    dry_run: true,
    tasks,
    freed_bytes: freed.reduce((sum, { bytes }) => sum + bytes, 0),
    problems: [],
    ...given,
  };
}

const many = (count: number) =>
  Array.from({ length: count }, (_, i) => task(`t${i}`, { finished_ms: START - i * HOUR }));
const screen = (width: number, height: number) => ({ ...TTY, width, height });

describe('a plan on a terminal', () => {
  test('is shown whole if it fits', () => {
    const document = plan(many(2));
    const whole = gcText(document, TTY);
    expect(whole).toContain('/r/tasks/finished/t1\n');
    expect(gcText(document, screen(80, 24))).toBe(whole);
  });

  test('is folded if it does not: first and last tasks, counts and bytes by reason and by place, the totals', () => {
    const tasks = [
      task('ended', {
        finished_ms: undefined,
        reason: 'its runner is gone, silent for 5h',
        rule: 'its runner is gone',
      }),
      ...many(500),
    ];
    (tasks[0] as Task).actions = [];
    (tasks[0] as Task).orphan = { was: 'ACTIVE', becomes: 'LOST', result: 'would-do', killed: [] };
    expect(gcText(plan(tasks), screen(80, 24))).toBe(
      [
        'TASK   STATE      SIZE  WHAT            REASON',
        'ended  SUCCESS      0B  ->LOST          its runner is gone, silent for 5h',
        't499   SUCCESS   12KiB  logs, metadata  finished 2h3m ago',
        't498   SUCCESS   12KiB  logs, metadata  finished 2h3m ago',
        't497   SUCCESS   12KiB  logs, metadata  finished 2h3m ago',
        '…               5.8MiB                  494 more tasks',
        't2     SUCCESS   12KiB  logs, metadata  finished 2h3m ago',
        't1     SUCCESS   12KiB  logs, metadata  finished 2h3m ago',
        't0     SUCCESS   12KiB  logs, metadata  finished 2h3m ago',
        '',
        'TASKS    SIZE  REASON',
        '  500  5.9MiB  finished',
        '    1      0B  its runner is gone',
        '',
        'WHAT      PATHS  SIZE  WHERE',
        'logs        500  2MiB  below /r/sandboxes',
        'metadata    500  2MiB  below /r/checkpoints',
        'metadata    500  2MiB  below /r/tasks/finished',
        '',
        '500 tasks would be collected, 5.9MiB would be freed below /r, 1 without a runner',
        'would be finalized.',
        'Not every row is shown here: --verbose shows all, also with --dry-run.',
        '',
      ].join('\n'),
    );
  });

  test('with --verbose, and on a pipe, nothing is folded', () => {
    const document = plan(many(30));
    const rows = (text: string) => text.split('\n').filter((line) => line.includes('/r/'));
    expect(rows(gcText(document, screen(80, 24), true))).toHaveLength(90);
    expect(rows(gcText(document, PIPE))).toHaveLength(90);
  });

  test('what was done is never folded', () => {
    const tasks = many(30).map((each) => ({
      ...each,
      actions: each.actions.map((one) => ({ ...one, result: 'deleted' as const })),
    }));
    const text = gcText(plan(tasks, { dry_run: false }), screen(80, 24));
    expect(text.match(/^t\d+ /gm)).toHaveLength(30);
    expect(text).not.toContain('…');
  });

  test('what is refused comes before all that is kept, and is counted', () => {
    const tasks = many(40);
    for (const [i, each] of tasks.entries()) {
      const kept = { result: 'kept' as const, why: `nothing shows that ${i} is its own` };
      if (i % 2 === 0) each.actions.push(action('data', `/else/${i}`, kept));
    }
    tasks[33]?.actions.push(action('data', '/etc', { result: 'refused', why: '/etc belongs to the system' }));
    const text = gcText(plan(tasks), screen(80, 24));
    expect(text.split('\n').slice(0, 2)).toEqual([
      'TASK  RESULT   WHAT  WHY',
      't33   refused  data  /etc belongs to the system',
    ]);
    expect(text).toContain('Paths that stay: 1 refused, 20 kept.\n');
  });

  test('a path far away from the others is seen', () => {
    const tasks = many(40);
    tasks[20]?.actions.push(action('data', '/srv/precious'));
    const text = gcText(plan(tasks), screen(80, 24));
    expect(text).toMatch(/^data +1 +4KiB {2}\/srv\/precious$/m);
    expect(text).toContain('would be freed below /.\n');
  });

  test('where there is next to no room, the totals are left', () => {
    expect(gcText(plan(many(40)), screen(80, 4))).toBe(
      [
        '40 tasks would be collected, 480KiB would be freed below /r.',
        'Not every row is shown here: --verbose shows all, also with --dry-run.',
        '',
      ].join('\n'),
    );
  });

  test('nothing to collect on a host with many tasks', () => {
    const kept = many(40).map((each) => ({
      ...each,
      actions: each.actions.map((one) => ({
        ...one,
        bytes: 0,
        result: 'kept' as const,
        why: 'the agent removes it',
      })),
    }));
    const text = gcText(plan(kept, { dry_run: false }), screen(80, 24));
    expect(screenRows(text, 80)).toBeLessThanOrEqual(22);
    expect(text).toContain('Paths that stay: 120 kept.\n');
    expect(text).toContain('--verbose shows all.\n');
  });
});

describe('the row of a task says why that happens which it says', () => {
  const why = (result: Action['result'], text: string) => action('logs', '/x', { result, why: text });
  const reasons = (tasks: Task[], dry_run: boolean) =>
    gcText(plan(tasks, { dry_run }), PIPE)
      .split('\n')
      .slice(1, tasks.length + 1)
      .map((row) => row.split(/ {2,}/).slice(-2));

  test('of one that goes, of one that stays, of one that is refused', () => {
    const kept = task('kept', { actions: [why('refused', 'no'), why('kept', 'it is in use')] });
    const refused = task('refused', { actions: [why('refused', 'it is a mount point')] });
    kept.actions.shift();
    expect(reasons([task('goes'), kept, refused], true)).toEqual([
      ['logs,metadata', 'finished 2h3m ago'],
      ['kept', 'it is in use'],
      ['refused', 'it is a mount point'],
    ]);
  });

  test('of one that could not be removed', () => {
    const actions = [why('deleted', ''), why('kept', 'it names /x'), why('failed', 'busy')];
    const orphan = {
      was: 'ACTIVE',
      becomes: 'LOST',
      result: 'refused' as const,
      killed: [],
      why: 'not ours',
    };
    expect(reasons([task('a', { actions }), task('b', { actions: [], orphan })], false)).toEqual([
      ['failed', 'busy'],
      ['refused', 'not ours'],
    ]);
  });
});

describe('whatever the plan is', () => {
  const result = fc.constantFrom<Action['result']>('would-delete', 'would-delete', 'kept', 'refused');
  const name = fc.oneof(fc.stringMatching(/^[a-z]{1,9}$/), fc.constantFrom('日本語', 'x'.repeat(70), 'a b'));
  const actions = fc.array(
    fc.record({
      kind: fc.constantFrom<Action['kind']>('metadata', 'logs', 'data'),
      path: fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => `/${names.join('/')}`),
      bytes: fc.nat(5000),
      result,
      why: name,
    }),
    { minLength: 1, maxLength: 4 },
  );
  const tasks = fc
    .array(fc.record({ name, actions, rule: fc.constantFrom('one', 'two', 'three') }), { maxLength: 60 })
    .map((all) =>
      all.map(({ name, actions, rule }, i) =>
        task(`${name}-${i}`, {
          rule,
          reason: rule,
          actions: actions.map((each) => ({
            ...each,
            bytes: each.result === 'would-delete' ? each.bytes : 0,
            why: each.result === 'would-delete' ? undefined : each.why,
          })),
        }),
      ),
    );
  const number = (text: string | undefined) => Number(text ?? 0);
  /** The numbers of a column of a table, by its title. */
  const column = (text: string, title: RegExp, cell: RegExp) => {
    const lines = text.split('\n');
    const at = lines.findIndex((line) => title.test(line));
    if (at === -1) return undefined;
    const rows = lines.slice(at + 1, lines.indexOf('', at));
    return rows.map((row) => number(cell.exec(row)?.[1])).reduce((a, b) => a + b, 0);
  };

  test('it fits the screen, or only the totals are left of it', () => {
    fc.assert(
      fc.property(
        tasks,
        fc.integer({ min: 20, max: 160 }),
        fc.integer({ min: 3, max: 60 }),
        (all, width, height) => {
          const text = gcText(plan(all), screen(width, height));
          const isFoot = !/^(TASK|TASKS|WHAT) /m.test(text);
          if (!isFoot) expect(screenRows(text, width)).toBeLessThanOrEqual(height - 2);
        },
      ),
      { numRuns: 25 },
    );
  });

  test('what is shown and what is said to be left out are all of it', () => {
    fc.assert(
      fc.property(tasks, fc.integer({ min: 12, max: 60 }), (all, height) => {
        const document = plan(all);
        const whole = gcText(document, { ...TTY, width: 400 });
        const text = gcText(document, screen(400, height));
        if (text === whole) return;
        const each = all.flatMap(({ actions }) => actions);
        const count = (wanted: string) => each.filter(({ result }) => result === wanted).length;
        const stays = /^Paths that stay: (.*)\.$/m.exec(text)?.[1] ?? '';
        for (const wanted of ['refused', 'kept']) {
          expect(number(new RegExp(`(\\d+) ${wanted}`).exec(stays)?.[1])).toBe(count(wanted));
        }
        const totals = /^\d+ tasks? would be collected.*would be freed/m;
        expect(totals.exec(text)?.[0]).toBe(totals.exec(whole)?.[0]);
        const shown = text.match(/ SUCCESS /g)?.length ?? 0;
        const left = number(/ (\d+) more tasks$/m.exec(text)?.[1]);
        if (shown > 0) expect(shown + left).toBe(all.length);
        expect(column(text, /^TASKS +SIZE/, /^ *(\d+)/) ?? all.length).toBe(all.length);
        const goes = count('would-delete');
        expect(column(text, /^WHAT +PATHS/, /^\w+ +(\d+)/) ?? goes).toBe(goes);
        // Nothing that is refused is left out for what is kept.
        const results = [...text.matchAll(/^\S.* (refused|kept) {2,}(?:logs|data|metadata)/gm)];
        if (results.some(([, word]) => word === 'kept')) {
          expect(/more:.*refused/.test(text)).toBe(false);
        }
      }),
      { numRuns: 25 },
    );
  });
});
