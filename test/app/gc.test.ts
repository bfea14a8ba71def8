import { existsSync, mkdirSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type CollectedTasks, collectGarbage, type GcOptions } from '../../src/app/gc.js';
import { gcTask, listing } from '../e2e/gc-trees.js';
import { tempDir } from '../e2e/harness.js';

const DAY_MS = 86_400_000;
const OWNER = { uid: process.getuid?.() ?? 0 };

let temp: ReturnType<typeof tempDir>;
let root: string;
beforeEach(() => {
  temp = tempDir();
  root = `${temp.path}/root`;
  for (const [id, ageMs] of [
    ['new', 3_600_000],
    ['old', 3 * DAY_MS],
    ['older', 5 * DAY_MS],
  ] as const) {
    const sandbox = `${root}/sandboxes/${id}`;
    const header = { task_id: id, sandbox, log_dir: `${sandbox}/.logs`, ...OWNER };
    gcTask(root, id, { ageMs, header });
  }
});
afterEach(() => temp.remove());

interface Person {
  canAsk: boolean;
  answer?: boolean;
  /** Is told what is asked about. */
  asked?: (question: string, shown: CollectedTasks) => void;
}

function collect(rest: Partial<GcOptions> = {}, person: Person = { canAsk: false }) {
  const progress: unknown[] = [];
  const options: GcOptions = {
    roots: { root: [root] },
    words: [],
    kinds: { metadata: true, logs: true, data: undefined },
    limits: { maxAge: 2 * DAY_MS },
    orphanAge: 3_600_000,
    includeMesos: false,
    sandboxes: [],
    retained: undefined,
    dryRun: false,
    yes: false,
    ...rest,
  };
  const result = collectGarbage(options, {
    now: () => Date.now(),
    confirmation: {
      canAsk: person.canAsk,
      confirm(question, shown) {
        person.asked?.(question, shown);
        return person.answer === true;
      },
    },
    progress: {
      start: (what) => progress.push(what),
      update: ({ done, total, what }) => progress.push(`${done} of ${total} ${what}`),
      stop: () => progress.push('stop'),
      during(what, work) {
        progress.push(what);
        try {
          return work();
        } finally {
          progress.push('stop');
        }
      },
    },
  });
  return { ...result, progress };
}

const ids = ({ outcomes }: CollectedTasks) => outcomes.map(({ task }) => task.task_id).sort();
const left = () => ['new', 'old', 'older'].filter((id) => existsSync(`${root}/checkpoints/${id}`));

describe('what is beyond a limit', () => {
  test('is shown by a dry run, and stays', () => {
    const before = listing(root);
    const result = collect({ dryRun: true });
    expect(result).toMatchObject({ end: 'planned', dryRun: true, problems: [], exitCode: 0 });
    expect(ids(result)).toEqual(['old', 'older']);
    expect(listing(root)).toEqual(before);
  });

  test('is removed without a question with `yes`; how far it has come is said', () => {
    const result = collect({ yes: true });
    expect(result).toMatchObject({ end: 'done', dryRun: false, problems: [], exitCode: 0 });
    expect(ids(result)).toEqual(['old', 'older']);
    expect(result.outcomes.flatMap(({ actions }) => actions.map(({ result }) => result))).not.toContain(
      'would-delete',
    );
    expect(left()).toEqual(['new']);
    expect(result.progress[0]).toBe('planning');
    expect(result.progress).toContain('3 of 3 tasks read');
    expect(result.progress.slice(-4)).toEqual(['removing', '1 of 2 tasks', '2 of 2 tasks', 'stop']);
  });

  test('is removed after a yes, exactly as it was shown', () => {
    let shown: CollectedTasks | undefined;
    const asked = (question: string, plan: CollectedTasks) => {
      expect(question).toBe('Carry this out?');
      expect(left()).toHaveLength(3);
      shown = plan;
    };
    const result = collect({}, { canAsk: true, answer: true, asked });
    expect(result.plan).toBe(shown?.plan);
    expect(left()).toEqual(['new']);
  });

  test('stays after a no', () => {
    const before = listing(root);
    const result = collect({}, { canAsk: true, answer: false });
    expect(result).toMatchObject({ end: 'declined', dryRun: true, exitCode: 1 });
    expect(listing(root)).toEqual(before);
  });

  test('stays if nobody can be asked: nothing is even looked at', () => {
    expect(() => collect({ words: ['nothing'] })).toThrow(
      expect.objectContaining({ code: 'confirmation-needed', exitCode: 2 }),
    );
    expect(left()).toHaveLength(3);
  });
});

test('that there is nothing to collect is no question', () => {
  const asked = () => expect.unreachable();
  const result = collect({ limits: { maxAge: 9 * DAY_MS } }, { canAsk: true, asked });
  expect(result).toMatchObject({ end: 'nothing', dryRun: false, outcomes: [], exitCode: 0 });
  expect(result.chosen).toHaveLength(3);
});

test('words restrict what is looked at; those that mean nothing are problems', () => {
  const result = collect({ words: ['old', 'nothing'], yes: true });
  expect(ids(result)).toEqual(['old']);
  expect(result.problems).toMatchObject([{ code: 'task-not-found' }]);
  expect(result.exitCode).toBe(1);
  expect(left()).toEqual(['new', 'older']);
  expect(() => collect({ words: ['nothing'], yes: true })).toThrow(
    expect.objectContaining({ code: 'task-not-found' }),
  );
});

test('what the scheduler does not know is collected', () => {
  const result = collect({ limits: {}, retained: new Map([['new', 'FINISHED']]), yes: true });
  expect(ids(result)).toEqual(['old', 'older']);
  expect(result.plan.reconciled).toHaveLength(3);
  expect(left()).toEqual(['new']);
});

test('a sandbox that is named has to be there, and to be that of a task that is collected', () => {
  const named = (path: string) => () => collect({ sandboxes: [path], yes: true });
  expect(named(`${root}/nothing`)).toThrow(expect.objectContaining({ code: 'sandbox-not-found' }));
  expect(named(`${root}/sandboxes/new`)).toThrow(expect.objectContaining({ code: 'sandbox-not-found' }));
  mkdirSync(`${root}/other`);
  expect(named(`${root}/other`)).toThrow(/no task that would be collected/);
  expect(left()).toHaveLength(3);
});
