import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LimitError } from '../../src/config/limits.js';
import { type PlannedProcess, planOf } from '../../src/config/planner.js';
import {
  type ProcessSelection,
  type SelectableTask,
  selectedDocument,
  selectProcesses,
  unknownProcesses,
} from '../../src/config/selection.js';

function processOf(name: string, given: Partial<PlannedProcess> = {}): PlannedProcess {
  return {
    name,
    daemon: false,
    ephemeral: false,
    final: false,
    max_failures: 1,
    min_duration: 5,
    ...given,
  };
}

interface Task extends SelectableTask {
  readonly processes: readonly PlannedProcess[];
}

function reduced(task: Task, selection: ProcessSelection): Task {
  const selected = selectProcesses(task, selection);
  if ('unknown' in selected) throw new Error(`unknown: ${selected.unknown}`);
  const { processes, constraints } = selectedDocument(
    { processes: task.processes, constraints: [] as { order: string[] }[] },
    task.orders,
    selected,
  );
  return { processes, orders: constraints.map(({ order }) => order) };
}

const only = (...words: string[]): ProcessSelection => ({ kind: 'only', words });
const from = (...words: string[]): ProcessSelection => ({ kind: 'from', words });
const namesOf = ({ processes }: Task) => processes.map(({ name }) => name);

/** extract → load → check, with a side branch, and two final processes in order. */
const ETL: Task = {
  processes: [
    ...['extract', 'load', 'check', 'audit', 'lone'].map((name) => processOf(name)),
    processOf('clean', { final: true }),
    processOf('report', { final: true }),
  ],
  orders: [
    ['extract', 'load', 'check'],
    ['load', 'audit'],
    ['clean', 'report'],
  ],
};

describe('only', () => {
  it('takes the named processes, in the order of the task, and final ones only if they are named', () => {
    expect(namesOf(reduced(ETL, only('lone', 'extract')))).toEqual(['extract', 'lone']);
    expect(namesOf(reduced(ETL, only('report', 'load')))).toEqual(['load', 'report']);
  });

  it('takes several names with commas between, but a name with a comma as it is', () => {
    expect(namesOf(reduced(ETL, only('load,check', 'lone')))).toEqual(['load', 'check', 'lone']);
    const task = { processes: ['a', 'b', 'a,b'].map((name) => processOf(name)), orders: [] };
    expect(namesOf(reduced(task, only('a,b')))).toEqual(['a,b']);
  });

  it('keeps what waits for what, also through processes that are left out', () => {
    expect(reduced(ETL, only('extract', 'check')).orders).toEqual([['extract', 'check']]);
    expect(reduced(ETL, only('extract', 'audit')).orders).toEqual([['extract', 'audit']]);
    expect(reduced(ETL, only('check', 'audit')).orders).toEqual([]);
  });

  it('leaves constraints as they are whose processes all stay', () => {
    expect(reduced(ETL, only('extract,load,check,clean,report')).orders).toEqual([
      ['extract', 'load', 'check'],
      ['clean', 'report'],
    ]);
  });
});

describe('from', () => {
  it('takes a process, all that wait for it, and the final ones', () => {
    const task = reduced(ETL, from('load'));
    expect(namesOf(task)).toEqual(['load', 'check', 'audit', 'clean', 'report']);
    expect(task.orders).toEqual([
      ['load', 'check'],
      ['load', 'audit'],
      ['clean', 'report'],
    ]);
  });

  it('takes the processes after each of several', () => {
    expect(namesOf(reduced(ETL, from('audit', 'lone')))).toEqual(['audit', 'lone', 'clean', 'report']);
  });

  it('takes of the final processes only those after one of them', () => {
    expect(namesOf(reduced(ETL, from('report')))).toEqual(['report']);
    expect(namesOf(reduced(ETL, from('clean')))).toEqual(['clean', 'report']);
  });
});

describe('a word that names no process', () => {
  it('is reported, with all others of that kind', () => {
    expect(selectProcesses(ETL, only('lod,check', 'xyz', 'lod'))).toEqual({ unknown: ['lod', 'xyz'] });
    expect(selectProcesses(ETL, from(''))).toEqual({ unknown: [''] });
  });

  it('makes the names suggested that it may have meant, or else all be listed', () => {
    expect(unknownProcesses('etl.thermos', ['lod', 'chek'], ETL)).toEqual({
      message: "etl.thermos has no process 'lod', 'chek'",
      hint: "did you mean 'load' or 'check'?",
    });
    expect(unknownProcesses('etl.thermos', ['xyz'], ETL).hint).toBe(
      'it has extract, load, check, audit, lone, clean, report',
    );
  });
});

it('refuses a choice that would need more constraints than a task may have', () => {
  const many = (prefix: string) => Array.from({ length: 300 }, (_, i) => `${prefix}${i}`);
  const task = {
    processes: [...many('a'), 'hub', ...many('z')].map((name) => processOf(name)),
    orders: [...many('a').map((name) => [name, 'hub']), ...many('z').map((name) => ['hub', name])],
  };
  expect(() => selectProcesses(task, only(...many('a'), ...many('z')))).toThrow(LimitError);
});

/** For each process, all that it waits for, directly or not. */
function closure({ orders }: SelectableTask): Map<string, Set<string>> {
  const before = new Map<string, Set<string>>();
  for (const order of orders) {
    for (const [i, name] of order.slice(1).entries()) {
      before.set(name, (before.get(name) ?? new Set()).add(order[i] as string));
    }
  }
  for (const all of before.values())
    for (const each of all) for (const earlier of before.get(each) ?? []) all.add(earlier);
  return before;
}

/** Valid tasks: constraints go from lower to higher numbers, and daemons and ephemeral processes stand where they may. */
const TASKS: fc.Arbitrary<Task> = fc
  .record({
    flags: fc.array(fc.record({ final: fc.boolean(), daemon: fc.boolean(), ephemeral: fc.boolean() }), {
      minLength: 1,
      maxLength: 9,
    }),
    lists: fc.array(fc.uniqueArray(fc.nat(8), { minLength: 1, maxLength: 5 }), { maxLength: 7 }),
  })
  .map(({ flags, lists }) => {
    const processes = flags.map((each, i) => processOf(`p${i}`, each));
    const orders = lists
      .map((list) => [...list].sort((a, b) => a - b).filter((i) => i < processes.length))
      .map((list) => list.map((i) => processes[i] as PlannedProcess))
      .map((list) => list.filter(({ final }) => final === list[0]?.final).map(({ name }) => name))
      .filter((order) => order.length > 0);
    return { processes, orders: orders.filter((order) => faultsOf({ processes, orders: [order] }) === 0) };
  })
  .filter((task) => faultsOf(task) === 0);

function faultsOf({ processes, orders }: Task): number {
  return [false, true].reduce((sum, final) => sum + planOf(processes, orders, final).faults.length, 0);
}

const CHOICES = fc
  .tuple(TASKS, fc.constantFrom('only', 'from'), fc.array(fc.nat(8), { minLength: 1 }))
  .map(([task, kind, numbers]): [Task, ProcessSelection] => [
    task,
    {
      kind: kind as ProcessSelection['kind'],
      words: numbers.map((i) => task.processes[i % task.processes.length]?.name as string),
    },
  ]);

describe('of any valid task and any choice', () => {
  it('the order is that of the whole task among the chosen', () => {
    fc.assert(
      fc.property(CHOICES, ([task, selection]) => {
        const result = reduced(task, selection);
        const names = new Set(namesOf(result));
        const [whole, part] = [closure(task), closure(result)];
        for (const name of names) {
          const expected = [...(whole.get(name) ?? [])].filter((each) => names.has(each)).sort();
          expect([...(part.get(name) ?? [])].sort()).toEqual(expected);
        }
        expect([...part.keys()].every((name) => names.has(name))).toBe(true);
      }),
    );
  });

  it('the result is valid', () => {
    fc.assert(
      fc.property(CHOICES, ([task, selection]) => {
        expect(faultsOf(reduced(task, selection))).toBe(0);
      }),
    );
  });

  it('choosing again changes nothing', () => {
    fc.assert(
      fc.property(CHOICES, ([task, selection]) => {
        const once = reduced(task, selection);
        expect(reduced(once, selection)).toEqual(once);
      }),
    );
  });

  it('choosing all changes nothing', () => {
    fc.assert(
      fc.property(TASKS, (task) => {
        expect(reduced(task, only(...namesOf(task)))).toEqual(task);
      }),
    );
  });
});
