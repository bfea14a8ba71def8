import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type ActionOptions,
  actionsOf,
  type KindsToDelete,
  type PlanInspector,
} from '../../src/gc/actions.js';
import type { Measure } from '../../src/gc/measure.js';
import type { Subject } from '../../src/gc/subject.js';
import { isWithin } from '../../src/store/paths.js';
import { subject } from './subjects.js';

const ALL: KindsToDelete = { metadata: true, logs: true, data: true };
const MEASURE: Measure = {
  dev: 1,
  ino: 1,
  bytes: 10,
  newest: 5,
  uid: 0,
  isDirectory: true,
  directories: [1],
};

/** All is there, and nothing speaks against anything. */
function inspector(given: Partial<PlanInspector> = {}): PlanInspector {
  return {
    place: (path) => ({ path }),
    top: () => ({ dev: 1, ino: 1, uid: 0, isDirectory: true }),
    shown: () => ({ by: 'place' }),
    object: () => undefined,
    measure: () => ({ ...MEASURE }),
    isAgents: () => false,
    keptWhole: () => undefined,
    keptInTree: () => undefined,
    describe: (error) => (error as Error).message,
    ...given,
  };
}

const plan = (
  task: Subject,
  kinds: Partial<KindsToDelete> = {},
  on: Partial<PlanInspector> = {},
  confirmed: string[] = [],
) => {
  const options: ActionOptions = { kinds: { ...ALL, ...kinds }, confirmed: new Set(confirmed) };
  return actionsOf(task, options, inspector(on));
};
const told = (...args: Parameters<typeof plan>) =>
  plan(...args).map(({ kind, verdict, path }) => `${kind} ${verdict} ${path}`);

const METADATA = ['metadata delete /root/checkpoints/t', 'metadata delete /root/tasks/finished/t'];
const OUTSIDE = {
  sandbox: { path: '/srv/t', recorded: '/srv/t', found: true },
  recordedSandbox: '/srv/t',
  logDir: { path: '/srv/t/.logs', recorded: '/srv/t/.logs', found: true },
};

describe('what goes', () => {
  test('logs, data, metadata, in this order', () => {
    expect(told(subject())).toEqual([
      'logs delete /root/sandboxes/t/.logs',
      'data delete /root/sandboxes/t',
      ...METADATA,
    ]);
  });

  test('data that nobody asked for only of a sandbox in its root, or one that is named', () => {
    expect(told(subject(), { data: undefined })).toHaveLength(4);
    expect(told(subject(OUTSIDE), { data: undefined })).toEqual(['logs delete /srv/t/.logs', ...METADATA]);
    expect(told(subject(OUTSIDE), { data: undefined }, {}, ['/srv/t'])).toContain('data delete /srv/t');
    expect(told(subject(OUTSIDE), { data: undefined }, {}, ['/srv'])).not.toContain('data delete /srv/t');
    expect(told(subject(OUTSIDE), { data: false }, {}, ['/srv/t'])).not.toContain('data delete /srv/t');
  });

  test('what holds keeps what tells of it; what is only refused does not', () => {
    const object: PlanInspector['object'] = ({ kind }) =>
      kind === 'data' ? { verdict: 'kept', why: 'no evidence', hint: 'say so', holds: true } : undefined;
    expect(plan(subject(), {}, { object }).slice(1)).toMatchObject([
      { kind: 'data', verdict: 'kept', why: 'no evidence', hint: 'say so' },
      { kind: 'metadata', verdict: 'kept', why: 'it names /root/sandboxes/t, which stays' },
      { kind: 'metadata', verdict: 'kept' },
    ]);
    const refused: PlanInspector['object'] = ({ kind }) =>
      kind === 'data' ? { verdict: 'refused', why: 'x' } : undefined;
    expect(told(subject(), {}, { object: refused }).slice(2)).toEqual(METADATA);
  });

  test('logs that are to stay stay in the sandbox that goes', () => {
    const [data] = plan(subject(), { logs: false });
    expect(data?.target?.except).toHaveLength(1);
    const object: PlanInspector['object'] = ({ kind }) =>
      kind === 'logs' ? { verdict: 'refused', why: 'x' } : undefined;
    expect(told(subject(), { logs: false }, { object })[0]).toBe('data refused /root/sandboxes/t');
  });

  test.each([
    ['a flaw of the header', { headerFlaw: 'its header is that of task u' }],
    ['.. in the sandbox', { recordedSandbox: '/srv/../etc' }],
  ])('nothing by %s', (_, given) => {
    expect(told(subject(given)).slice(0, 2)).toEqual([
      'logs refused /root/sandboxes/t/.logs',
      'data refused /root/sandboxes/t',
    ]);
  });

  test('no logs outside the sandbox', () => {
    const logDir = { path: '/srv/other', recorded: '/srv/other', found: true };
    expect(told(subject({ logDir }))[0]).toBe('logs refused /srv/other');
    const sandbox = { path: '/srv/other', recorded: '/srv/other', found: true };
    expect(told(subject({ logDir, sandbox }))[0]).toBe('logs refused /srv/other');
  });

  test('what can’t be measured is refused, and holds', () => {
    const measure = () => {
      throw new Error('permission denied');
    };
    const actions = plan(subject(), {}, { measure });
    expect(actions.map(({ verdict }) => verdict)).toEqual(['refused', 'refused', 'kept', 'kept']);
  });
});

/**
 * Whatever a header names, whatever is on disk, and whatever the guards say: nothing is planned outside the task's own
 * metadata and what the guards let pass, and nothing is measured that was not asked about.
 */
test('no plan ever has a target outside what the evidence covers', () => {
  const segment = fc.constantFrom('root', 'sandboxes', 'checkpoints', 't', 'u', 'srv', '.logs', '..', '');
  const path = fc.array(segment, { maxLength: 5 }).map((names) => `/${names.join('/')}`);
  const named = fc.option(fc.record({ path, recorded: path, found: fc.boolean() }), { nil: undefined });
  const given = fc.record({
    sandbox: named,
    logDir: named,
    recordedSandbox: fc.option(path, { nil: undefined }),
    headerFlaw: fc.option(fc.constant('a flaw'), { nil: undefined }),
  });
  const kinds = fc.record({
    metadata: fc.boolean(),
    logs: fc.boolean(),
    data: fc.option(fc.boolean(), { nil: undefined }),
  });
  /** Links: where a path leads, which is a real path. */
  const realOf = (each: string) =>
    `/${each
      .split('/')
      .filter((name) => name !== '' && name !== '..')
      .join('/')}`;
  const real = path.map(realOf);
  const links = fc.dictionary(path, real, { maxKeys: 3 });
  fc.assert(
    fc.property(
      given,
      kinds,
      path,
      links,
      fc.array(path, { maxLength: 2 }),
      (header, wanted, covered, leads, confirmed) => {
        const passed = new Set<string>();
        const measured: string[] = [];
        const on = inspector({
          place: (each) =>
            each.includes('..') ? { refused: 'its path contains ..' } : { path: leads[each] ?? realOf(each) },
          object: (item) => {
            if (!isWithin(item.path, covered)) return { verdict: 'kept', why: 'no evidence', holds: true };
            passed.add(item.path);
            return undefined;
          },
          measure: (directory, name) => {
            measured.push(`${directory === '/' ? '' : directory}/${name}`);
            return { ...MEASURE };
          },
        });
        const own = ['/root/checkpoints', '/root/tasks/finished'].map((each) =>
          `${leads[each] ?? each}/t`.replace('//', '/'),
        );
        const actions = actionsOf(subject(header), { kinds: wanted, confirmed: new Set(confirmed) }, on);
        for (const { kind, verdict, target } of actions) {
          expect(verdict === 'delete').toBe(target !== undefined);
          if (target === undefined) continue;
          const place = `${target.directory === '/' ? '' : target.directory}/${target.name}`;
          if (kind === 'metadata') expect(own).toContain(place);
          else {
            expect(isWithin(place, covered)).toBe(true);
            expect(wanted[kind] ?? true).toBe(true);
          }
        }
        for (const each of measured) expect(passed.has(each) || own.includes(each)).toBe(true);
        // What tells of the task goes only if nothing of it waits.
        const goes = actions.some(({ kind, verdict }) => kind === 'metadata' && verdict === 'delete');
        if (goes) expect(actions.some(({ holds }) => holds)).toBe(false);
      },
    ),
    { numRuns: 500 },
  );
});
