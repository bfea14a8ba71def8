import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { evaluate } from '../../src/config/evaluate.js';
import { ConfigError } from '../../src/config/program.js';
import { createSession } from '../../src/config/session.js';
import { argumentsOf, ForgedError } from '../../src/config/wire.js';

const OPERATIONS = [
  ...[
    'namespace',
    'type',
    'type.list',
    'type.map',
    'type.enum',
    'type.choice',
    'type.struct',
    'default',
    'new',
  ],
  ...['call', 'bind', 'in_scope', 'mod', 'interpolate', 'check', 'get', 'attribute', 'has', 'text', 'repr'],
  ...['equal', 'less', 'hash', 'items', 'item', 'contains', 'find', 'unwrap', 'environment', 'ref'],
  ...[
    'mustache.split',
    'order',
    'sequential_task',
    'simple_task',
    'combine_tasks',
    'concat_tasks',
    'options',
  ],
  ...['units', 'export', 'jobs', 'float_text'],
];

/** Values as they come from Python, and what only looks like them. */
const wire = fc.letrec((tie) => ({
  wire: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom<unknown>(
      '',
      'a',
      '{{a}}',
      '{{&&&a&}}',
      'name',
      'String',
      'Process',
      'Task',
      'java',
      'a[b].c',
    ),
    fc.constantFrom<unknown>(null, true, 0, 1, 5, 40, -1, 1.5, 1e300, 2 ** 53),
    fc.constantFrom<unknown>({ empty: true }, { float: 'nan' }, { float: 'x' }, { int: '5' }, { int: 'x' }),
    fc.constantFrom<unknown>({ ref: 'a' }, { ref: 5 }, { type: 'String' }, { other: 'x', class: 'y' }, {}),
    fc.record({ node: fc.oneof(fc.nat(60), fc.constantFrom<unknown>('length', null, -1, 1e9)) }),
    fc.record({ dict: fc.array(fc.array(tie('wire'), { maxLength: 3 }), { maxLength: 3 }) }),
    fc.record({ dict: fc.array(fc.tuple(fc.constantFrom('name', 'cmdline', 'processes'), tie('wire'))) }),
    fc.array(tie('wire'), { maxLength: 4 }),
  ),
}));

const call = fc.tuple(fc.constantFrom(...OPERATIONS), fc.array(wire.wire, { maxLength: 4 }));

describe('what comes through the door', () => {
  it('is answered, whatever it is; and what it leaves is evaluated or refused', () => {
    fc.assert(
      fc.property(fc.array(call, { maxLength: 12 }), fc.constantFrom('thermos', 'aurora'), (calls, kind) => {
        let session = createSession();
        for (const [operation, args] of calls) {
          expect(Object.keys(JSON.parse(session.call(operation, JSON.stringify(args))))).toHaveLength(1);
          // One that has refused answers nothing any more.
          if (session.refused !== undefined && session.exported.length === 0) session = createSession();
        }
        try {
          evaluate(
            { path: 'a', kind: kind as 'thermos' | 'aurora', session },
            { bindings: [], ports: new Map(), hostname: 'h' },
          );
        } catch (error) {
          expect(error).toBeInstanceOf(ConfigError);
        }
      }),
      { numRuns: 150 },
    );
  });

  it('is refused if it is not a call at all', () => {
    fc.assert(
      fc.property(fc.string(), fc.oneof(fc.string(), fc.json()), (operation, args) => {
        const session = createSession();
        expect(JSON.parse(session.call(operation, args)).error.type).toBe('TypeError');
        expect(session.refused).toBeInstanceOf(ForgedError);
      }),
    );
  });

  it.each([
    ['new', ['Task', [], []]],
    ['new', ['Task', {}, [], null]],
    ['new', ['Task', [], [['x']], null]],
    ['new', ['Task', [], [[5, 'x']], null]],
    ['new', ['Task', [], [], ['a', 'b']]],
    ['get', ['length']],
    ['get', [-1]],
    ['get', [1e308]],
    ['find', [5, null]],
    ['type.struct', ['A', [['a', { type: 'String', required: 1, default: null }]]]],
    ['__proto__', []],
    ['constructor', []],
    ['toString', []],
  ])('no class of ours sends %s(%j)', (operation, args) => {
    expect(() => argumentsOf(operation, JSON.stringify(args))).toThrow(ForgedError);
  });
});
