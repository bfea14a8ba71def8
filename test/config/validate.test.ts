import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { constructFrom } from '../../src/config/construct.js';
import { lint } from '../../src/config/lint.js';
import { Dict, type Raw, type StructNode } from '../../src/config/model.js';
import { ampersandsFor } from '../../src/config/problems.js';
import { createSession } from '../../src/config/session.js';
import { escapesIn, validate } from '../../src/config/validate.js';

const { schema } = createSession();

function task(processes: readonly string[], orders: readonly (readonly string[])[]): StructNode {
  const all = processes.map(
    (name): Raw =>
      new Dict([
        ['name', name],
        ['cmdline', 'true'],
      ]),
  );
  const constraints = orders.map((order): Raw => new Dict([['order', order]]));
  const fields = new Dict([
    ['name', 't'],
    ['processes', all],
    ['constraints', constraints],
  ]);
  return constructFrom(schema.task, [fields], []) as StructNode;
}

describe('the faults of a plan', () => {
  it('each have their place, however many there are', () => {
    const names = Array.from({ length: 10_000 }, (_, i) => `p${i}`);
    const problems = validate(
      schema,
      task(
        names,
        names.map((name) => [name, `no-${name}`]),
      ),
    );
    expect(problems).toHaveLength(names.length);
    expect(problems.map(({ field }) => field)).toEqual(names.map((_, i) => `constraints[${i}].order`));
  });

  it('name the first of many names', () => {
    const names = Array.from({ length: 5000 }, (_, i) => `p${i}`);
    const circle = task(names, [[...names, 'p0']]);
    const mixed = task(names, [[...names, 'q']]);
    const unknown = task(['a'], [names.slice(0, 10), names]);
    for (const each of [
      ...validate(schema, circle),
      ...validate(schema, mixed),
      ...lint(schema, unknown, [], []),
    ]) {
      expect(each.message.length).toBeLessThan(400);
    }
    expect(validate(schema, circle)[0]?.message).toMatch(
      / before … before p4\d+ before .* \(5,000 processes\)$/,
    );
    expect(lint(schema, unknown, [], [])).toHaveLength(2);
  });

  it('a struct of the config that is called Task is none', () => {
    const { types } = createSession();
    const integer = types.get('Integer');
    const field = { name: 'processes', type: integer, required: false, default: undefined };
    const other = schema.struct('Task', [field]);
    const node = constructFrom(other, [], [['processes', 5n]]) as StructNode;
    expect(validate(schema, node)).toMatchObject([{ code: 'task-missing' }]);
    expect(lint(schema, node, [], [])).toEqual([]);
  });
});

describe('escapes', () => {
  it('are those of the form {{&…}} or {{&…&}} with fewer ampersands than a run uses up', () => {
    const parts = fc.array(fc.constantFrom('{{', '}}', '{', '}', '&', '&', 'a', '.', ' '), { maxLength: 16 });
    fc.assert(
      fc.property(parts, (written) => {
        const text = written.join('');
        const expected = new Map<string, string>();
        for (const [tag, ampersands = '', content = ''] of text.matchAll(/\{\{(&+)([^{}]+?)&?\}\}/g)) {
          if (ampersands.length < ampersandsFor(content)) expected.set(`{{${content}}}`, tag);
        }
        expect(escapesIn(text)).toEqual(expected);
      }),
      { numRuns: 1000 },
    );
  });

  it('are looked for in time', () => {
    expect(escapesIn(`{{${'&'.repeat(500_000)}`)).toEqual(new Map());
    expect(escapesIn(`{{${'&'.repeat(500_000)}a}}`)).toEqual(new Map());
  });
});
