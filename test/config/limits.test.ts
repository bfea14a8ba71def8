import { describe, expect, it, onTestFinished } from 'vitest';
import { evaluate, type LoadedConfig, type Request } from '../../src/config/evaluate.js';
import {
  insideReference,
  LIMITS,
  LimitError,
  limited,
  listed,
  Meter,
  made,
  replacedText,
  shortened,
  step,
} from '../../src/config/limits.js';
import { ConfigError } from '../../src/config/program.js';
import { createSession } from '../../src/config/session.js';

const REQUEST: Request = { bindings: [], ports: new Map(), hostname: 'h' };

function dict(entries: Record<string, unknown>): unknown {
  return { dict: Object.entries(entries) };
}

/** What becomes of a config that exports a task with these fields, bound to a dict. */
function refusal(fields: Record<string, unknown>, bindings: Record<string, unknown> = {}): ConfigError {
  const session = createSession();
  const call = (operation: string, ...args: unknown[]) =>
    JSON.parse(session.call(operation, JSON.stringify(args))).value;
  const { node } = call('new', 'Task', [dict(fields)], [], ['dir/a.thermos', 7]);
  const bound = call('bind', node, [dict(bindings)], []);
  call('export', { node: bound.node }, null);
  const config: LoadedConfig = { path: 'a.thermos', kind: 'thermos', session };
  try {
    evaluate(config, REQUEST);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('it was evaluated');
}

function process(name: string, cmdline: string): unknown {
  return dict({ name, cmdline });
}

/** `a` stands for two times `b`, that for two times `c` …: 2^levels times the last. */
function doubling(levels: number, last: string): Record<string, string> {
  const names = Array.from({ length: levels + 1 }, (_, i) => `a${i}`);
  const texts = names.map((_, i) => (i === levels ? last : `{{a${i + 1}}}{{a${i + 1}}}`));
  return Object.fromEntries(names.map((name, i) => [name, texts[i] as string]));
}

describe('a task beyond a limit is refused, with the limit, the place and what was seen:', () => {
  it('one value', () => {
    const { message, exitCode } = refusal({ processes: [process('p', '{{a0}}')] }, doubling(40, 'x'));
    expect(exitCode).toBe(2);
    expect(message).toMatch(/^dir\/a\.thermos:7: process 'p': cmdline: Unable to interpolate /);
    expect(message).toMatch(/[\d,]+ characters of a value .* are too many: at most 1,048,576 are allowed$/);
    expect(message.length).toBeLessThan(1000);
  });

  it('all values together', () => {
    const processes = Array.from({ length: 1000 }, (_, i) => process(`p${i}`, '{{a0}}'));
    const { message, code } = refusal({ processes }, doubling(7, 'x'.repeat(1024)));
    expect(code).toBe('config-limit');
    expect(message).toMatch(/^dir\/a\.thermos:7: process 'p\d+': cmdline: [\d,]+ characters of all values/);
  });

  it.each([
    ['nothing in the end', doubling(40, '')],
    ['an address', { a0: `{{a${'.a'.repeat(100_000)}}}` }],
  ])('%s', (_, bindings) => {
    expect(refusal({ processes: [process('p', '{{a0}}')] }, bindings).message).toMatch(
      / are too many: at most/,
    );
  });

  it('processes, constraints and their names', () => {
    const processes = (count: number) => Array.from({ length: count }, () => process('p', 'true'));
    const order = (names: number) => dict({ order: Array.from({ length: names }, () => 'p') });
    const many = Array.from({ length: LIMITS.constraints.most + 1 }, () => order(1));
    expect(refusal({ processes: processes(LIMITS.processes.most + 1) }).message).toMatch(
      /20,001 processes of a task are too many: at most 20,000 are allowed$/,
    );
    expect(refusal({ processes: [], constraints: many }).message).toMatch(/40,001 constraints of a task/);
    expect(refusal({ processes: [], constraints: [order(LIMITS.names.most + 1)] }).message).toMatch(
      /200,001 names in the constraints of a task/,
    );
  });

  it('integers', () => {
    const wrong = { name: 'p', cmdline: 'x', max_failures: '9'.repeat(5000) };
    expect(refusal({ processes: [dict(wrong)] }).message).toMatch(
      /process 'p': max_failures: 5,000 digits of an integer are too many: at most 4,300 are allowed$/,
    );
  });

  it('objects that stand for objects', () => {
    const session = createSession();
    const call = (operation: string, ...args: unknown[]) =>
      JSON.parse(session.call(operation, JSON.stringify(args)));
    let { node } = call('new', 'String', ['x'], [], null).value;
    for (let i = 0; i < 200; i++) {
      const outer = call('new', 'String', ['{{y}}'], [], null).value;
      ({ node } = call('bind', outer.node, [dict({ y: { node } })], []).value);
    }
    expect(call('text', node).error).toMatchObject({
      message: expect.stringMatching(/levels of nested references/),
    });
  });

  it('problems: the first of them are shown, and how many more there are', () => {
    const { message, problems } = refusal({
      processes: Array.from({ length: 5000 }, (_, i) => dict({ name: `p${i}` })),
    });
    expect(message).toBe('a.thermos has 5,000 errors');
    expect(problems.length).toBe(LIMITS.problems.most + 1);
    expect(problems.at(-1)?.message).toMatch(/4,800 more problems are not shown/);
  });
});

describe('a session', () => {
  it('refuses everything from then on, whatever the config makes of the first refusal', () => {
    const session = createSession();
    const big = JSON.stringify(['String', ['x'.repeat(LIMITS.call.most)], [], null]);
    expect(JSON.parse(session.call('new', big)).error.type).toBe('MemoryError');
    expect(session.refused).toBeInstanceOf(LimitError);
    expect(JSON.parse(session.call('export', '["x", null]')).error.message).toMatch(/bytes in one call/);
    expect(session.exported).toEqual([]);
  });

  it('visits values that are in each other many times only so often', () => {
    const { most } = LIMITS.visits;
    // Those that are allowed take five seconds.
    Object.assign(LIMITS.visits, { most: 1_000_000 });
    onTestFinished(() => void Object.assign(LIMITS.visits, { most }));
    const session = createSession();
    const call = (operation: string, ...args: unknown[]) =>
      JSON.parse(session.call(operation, JSON.stringify(args))).value;
    let type = 'String';
    let { node } = call('new', type, ['a'], [], null);
    for (let i = 0; i < 40; i++) {
      ({ type } = call('type.list', type));
      ({ node } = call('new', type, [[{ node }, { node }]], [], null));
    }
    const answer = JSON.parse(session.call('interpolate', JSON.stringify([node])));
    expect(answer.error).toMatchObject({ type: 'MemoryError', message: expect.stringMatching(/visits/) });
  });

  it('takes types of a hundred levels and no more', () => {
    const session = createSession();
    let type = 'String';
    let answer: { value?: { type: string }; error?: { message: string } } = { value: { type } };
    let levels = 0;
    for (; answer.value !== undefined; levels++) {
      ({ type } = answer.value);
      answer = JSON.parse(session.call('type.list', JSON.stringify([type])));
    }
    expect(levels).toBe(LIMITS.nesting.most);
    expect(answer.error?.message).toMatch(/levels of nested values/);
  });
});

describe('a meter', () => {
  it('counts the seconds of all that is run by it, and none between', () => {
    let now = 0;
    const meter = new Meter(() => now);
    const spend = (seconds: number) =>
      meter.run(() => {
        now += seconds;
        for (let i = 0; i < 1000; i++) step();
      });
    spend(LIMITS.cpu.most / 2);
    now += 1000;
    spend(LIMITS.cpu.most / 2 - 1);
    expect(() => spend(2)).toThrow(/16 seconds of computing are too many: at most 15/);
  });

  it('is that of the innermost run, and none outside', () => {
    const [outer, inner] = [new Meter(), new Meter()];
    const most = LIMITS.made.most;
    outer.run(() => {
      made(most);
      inner.run(() => made(most));
      expect(() => made(1)).toThrow(LimitError);
    });
    expect(() => inner.run(() => made(1))).toThrow(LimitError);
    expect(() => made(most + 1)).not.toThrow();
  });

  it('counts texts and levels', () => {
    const meter = new Meter();
    expect(() => meter.run(() => replacedText(LIMITS.text_of_all.most + 1))).toThrow(LimitError);
    const deep = (levels: number): number => (levels === 0 ? 0 : insideReference(() => deep(levels - 1)));
    expect(meter.run(() => deep(LIMITS.references.most))).toBe(0);
    expect(() => meter.run(() => deep(LIMITS.references.most + 1))).toThrow(LimitError);
  });
});

it('a limit is what is still allowed', () => {
  expect(() => limited('processes', LIMITS.processes.most)).not.toThrow();
  expect(() => limited('processes', LIMITS.processes.most + 1)).toThrow(LimitError);
});

it('messages stay short', () => {
  expect(shortened('x'.repeat(LIMITS.words.most))).toHaveLength(LIMITS.words.most);
  expect(shortened('abcdef', 3)).toBe('abc… (6 characters)');
  expect(listed(['a', 'b'])).toBe('a, b');
  expect(listed(['a', 'b', 'c'], 2)).toBe('a, b … (3)');
});
