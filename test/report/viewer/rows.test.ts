import { describe, expect, test } from 'vitest';
import { markup } from '../../../src/report/page/html.js';
import type { AgentRow, TaskRow } from '../../../src/report/viewer/fleet.js';
import { leftOutBy, rowCells, summaryOf, troubleWith } from '../../../src/report/viewer/pieces.js';
import { checkedReport } from '../../../src/report/viewer/report-script.js';
import { chosenRows, type ListedRow, listedRow } from '../../../src/report/viewer/rows.js';

const agent: AgentRow = { base: 'http://a:5051', hostname: 'host-a', answer: 'ok', leftOut: 0 };
const run = { directory: '/w/runs/c', executorId: 'thermos-x', running: true };

function listed(task_id: string, task: Partial<ListedRow['task']> = {}): ListedRow {
  const row: TaskRow = { key: task_id, agent, run, task_id };
  return { row, task: { ...listedRow(row).task, task_id, state: 'SUCCESS', phase: 'finished', ...task } };
}

const ids = (rows: readonly ListedRow[]) => rows.map(({ task }) => task.task_id);

describe('the rows of the list', () => {
  const rows = [
    listed('ok', { state_ms: 4 }),
    listed('failed', {
      state: 'FAILED',
      failing: 'load',
      user: 'www',
      state_ms: 1,
      processes: 3,
      succeeded: 2,
    }),
    listed('runs', { state: 'ACTIVE', phase: 'active', state_ms: 2 }),
    listed('gone', { state: 'ACTIVE', phase: 'active', verdict: 'runner-gone', state_ms: 3 }),
  ];

  test('are in the order of need', () => {
    expect(ids(chosenRows(rows, { words: '' }))).toEqual(['failed', 'gone', 'runs', 'ok']);
  });

  test('have all words that are searched for, wherever they are', () => {
    expect(ids(chosenRows(rows, { words: 'ACTIVE host-a' }))).toEqual(['gone', 'runs']);
    expect(ids(chosenRows(rows, { words: ' load  www ' }))).toEqual(['failed']);
    expect(ids(chosenRows(rows, { words: 'nothing' }))).toEqual([]);
  });

  test('are in the order of a column, both ways', () => {
    expect(ids(chosenRows(rows, { words: '', by: 'since' }))).toEqual(['failed', 'runs', 'gone', 'ok']);
    expect(ids(chosenRows(rows, { words: '', by: 'task', reversed: true }))).toEqual([
      'runs',
      'ok',
      'gone',
      'failed',
    ]);
  });

  test('of sandboxes that were not read say so, those of failed tasks among the failed ones', () => {
    const row: TaskRow = { key: 'k', agent, task_id: 'new', run: { ...run, mesosState: 'TASK_FAILED' } };
    expect(listedRow(row).task).toMatchObject({ state: 'FAILED', phase: 'active' });
    const reading = listedRow({ ...row, run });
    expect(markup(rowCells(reading, '#', 0))).toContain('reading…');
    expect(markup(rowCells(listedRow({ ...row, run, refused: true }), '#', 0))).toContain('not given');
  });

  test('show names as text', () => {
    const cells = markup(rowCells(listed('<b>\u202e'), '#', 0));
    expect(cells).toContain('&lt;b>\\u{202e}');
  });
});

test('what an agent does not answer has a reason, and where to look', () => {
  expect(markup(troubleWith('http://a:5051', 'agent', false))).toMatch(
    /does not answer as an agent[\s\S]*href="http:\/\/a:5051\/state"/,
  );
  expect(markup(troubleWith('http://m:5050', 'master', false))).toContain('does not answer as a master');
  expect(markup(troubleWith('http://a:5051', 'agent', true))).toContain(
    'a page that came over https loads nothing over http',
  );
  expect(markup(troubleWith('https://a:5051', 'agent', true))).toContain('does not answer');
  expect(markup(leftOutBy({ ...agent, leftOut: 3 }))).toContain('lists 3 sandboxes that are not shown');
});

test('the summary counts agents and tasks', () => {
  const agents = [agent, { ...agent, answer: 'none' as const }, { ...agent, answer: 'asked' as const }];
  expect(summaryOf(agents, 7, 7, 2)).toBe(
    '1 of 3 agents answered · 1 are asked · 7 tasks · 2 still to be read',
  );
  expect(summaryOf([agent], 700, 500, 0)).toBe('1 of 1 agents answered · 500 of 700 tasks shown');
});

describe('a report from elsewhere', () => {
  const report = {
    made_ms: 1,
    made_by: 'x',
    excerpts: [],
    links: { browse: 'javascript:alert(1)', downloads: { a: 'https://a/b', c: 'javascript:alert(2)', d: 3 } },
    task: {
      task_id: 'a',
      root: '/r',
      phase: 'finished',
      verdict: 'ok',
      processes: [],
      problems: [],
      statuses: [],
      ordering: [],
      logs: [],
      why: [],
      history: {},
    },
  };

  test('leads only to web servers', () => {
    expect(checkedReport(report)?.links).toEqual({ browse: undefined, downloads: { a: 'https://a/b' } });
  });

  test.each([
    [17],
    [null],
    [{}],
    [{ ...report, task: { ...report.task, why: 'x' } }],
    [{ ...report, task: { ...report.task, task_id: {} } }],
    [{ ...report, excerpts: undefined }],
    [{ ...report, made_ms: 'now' }],
  ])('that is none is not shown: %j', (value) => {
    expect(checkedReport(value)).toBeUndefined();
  });
});
