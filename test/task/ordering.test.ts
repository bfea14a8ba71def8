import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { drawOrdering, predecessors } from '../../src/task/ordering.js';
import { parseTaskConfig, type TaskConfig } from '../../src/task/task-file.js';

function task(names: readonly string[], ...orders: string[][]): TaskConfig {
  const processes = names.map((name) => ({ name }));
  return parseTaskConfig({ processes, constraints: orders.map((order) => ({ order })) }) as TaskConfig;
}

function drawing(config: TaskConfig): string[] {
  return drawOrdering(config).map(
    ({ process, depth, also }) =>
      `${'  '.repeat(depth)}${process}${also.length > 0 ? ` +${also.join(',')}` : ''}`,
  );
}

describe('predecessors', () => {
  test('those right before in any constraint, each once, in the order of the task file', () => {
    const config = task(['d', 'c', 'b', 'a'], ['a', 'b', 'd'], ['c', 'd'], ['b', 'd']);
    expect(predecessors(config)).toEqual([
      { process: 'd', after: ['c', 'b'] },
      { process: 'c', after: [] },
      { process: 'b', after: ['a'] },
      { process: 'a', after: [] },
    ]);
  });

  test('names that no process has are left out', () => {
    expect(
      predecessors(task(['a', 'b'], ['x', 'a'], ['a', 'y', 'b'], ['constructor', '__proto__', 'b'])),
    ).toEqual([
      { process: 'a', after: [] },
      { process: 'b', after: [] },
    ]);
  });

  test('names of the object prototype are names', () => {
    expect(predecessors(task(['__proto__', 'constructor'], ['__proto__', 'constructor']))).toEqual([
      { process: '__proto__', after: [] },
      { process: 'constructor', after: ['__proto__'] },
    ]);
  });
});

describe('drawOrdering', () => {
  test.each<[string, TaskConfig, string[]]>([
    ['nothing', task([]), []],
    ['no constraints: all at the top, in the order of the task file', task(['b', 'a']), ['b', 'a']],
    ['a chain', task(['c', 'b', 'a'], ['a', 'b', 'c']), ['a', '  b', '    c']],
    [
      'a diamond: the bottom hangs under the last one drawn',
      task(['top', 'left', 'right', 'bottom'], ['top', 'left', 'bottom'], ['top', 'right', 'bottom']),
      ['top', '  left', '  right', '    bottom +left'],
    ],
    ['two roots, one child', task(['a', 'b', 'c'], ['a', 'c'], ['b', 'c']), ['a', 'b', '  c +a']],
    [
      'a cycle: broken at the process that stands first',
      task(['a', 'b', 'c'], ['a', 'b', 'a'], ['c', 'a']),
      ['c', 'a +b,c', '  b'],
    ],
    ['a process that waits for itself', task(['a', 'b'], ['a', 'a', 'b']), ['a +a', '  b']],
    ['the same process twice', task(['a', 'a', 'b'], ['a', 'b']), ['a', '  b']],
  ])('%s', (_what, config, lines) => {
    expect(drawing(config)).toEqual(lines);
  });

  test('a chain of 20,000 and a fan of 20,000 take no stack and little time', () => {
    const names = Array.from({ length: 20_000 }, (_, i) => `p${i}`);
    expect(drawOrdering(task(names, names)).at(-1)).toEqual({ process: 'p19999', depth: 19_999, also: [] });
    const fan = task([...names, 'end'], ...names.map((name) => [name, 'end']));
    expect(drawOrdering(fan).at(-1)?.also).toHaveLength(19_999);
    expect(drawOrdering(task([...names, 'end'], ...names.map((name) => ['end', name])))).toHaveLength(20_001);
  });

  test('each process is drawn once, below one of those it waits for, once they all are drawn', () => {
    const name = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', '__proto__', 'not there');
    const config = fc
      .tuple(fc.uniqueArray(name), fc.array(fc.array(name, { maxLength: 5 }), { maxLength: 8 }))
      .map(([names, orders]) => task(names, ...orders));
    fc.assert(
      fc.property(config, (given) => {
        const lines = drawOrdering(given);
        expect(lines.map(({ process }) => process).sort()).toEqual(
          given.processes.map(({ name: each }) => each).sort(),
        );
        const waits = new Map(predecessors(given).map(({ process, after }) => [process, after]));
        const above: string[] = [];
        const drawn = new Set<string>();
        for (const { process, depth, also } of lines) {
          above.length = depth;
          const parent = above.at(-1);
          const after = waits.get(process) ?? [];
          expect(new Set([...also, ...(parent === undefined ? [] : [parent])])).toEqual(new Set(after));
          if (parent !== undefined) for (const before of after) expect(drawn).toContain(before);
          above.push(process);
          drawn.add(process);
        }
      }),
    );
  });
});
