import { describe, expect, it } from 'vitest';
import type { NodeId, Wire } from '../../src/config/model.js';
import { createSession } from '../../src/config/session.js';

/** A config as Python would build it: every call goes through JSON. */
class Config {
  readonly session = createSession();

  call(operation: string, ...args: unknown[]): unknown {
    const answer = JSON.parse(this.session.call(operation, JSON.stringify(args)));
    if ('error' in answer) throw new Error(`${answer.error.type}: ${answer.error.message}`);
    return answer.value;
  }

  make(type: string, fields: Record<string, Wire>): { node: NodeId; type: string } {
    return this.call('new', type, [], Object.entries(fields), null) as { node: NodeId; type: string };
  }

  bind(of: { node: NodeId }, ...dicts: Wire[]): { node: NodeId } {
    return this.call('bind', of.node, dicts, []) as { node: NodeId };
  }

  /** Type, by what `type.struct` made of the fields. */
  struct(name: string, fields: Record<string, string | [type: string, value: Wire]>): string {
    const declared = Object.entries(fields).map(([field, given]) => {
      if (typeof given === 'string') return [field, { type: given, required: false, default: null }];
      const { node } = this.call('default', given[0], given[1]) as { node: NodeId };
      return [field, { type: given[0], required: false, default: node }];
    });
    return (this.call('type.struct', name, declared) as { type: string }).type;
  }

  /** What a process's command line becomes. */
  cmdline(process: { node: NodeId }): unknown {
    const field = this.call('attribute', process.node, 'cmdline') as { node: NodeId };
    return this.call('get', field.node);
  }
}

const dict = (entries: Record<string, Wire>): Wire => ({ dict: Object.entries(entries) });

describe('values', () => {
  it.each<[string, Wire, unknown]>([
    ['String', 5, '5'],
    ['String', { float: '5.0' }, '5.0'],
    ['String', true, 'True'],
    ['String', { int: '36893488147419103232' }, '36893488147419103232'],
    ['Integer', { float: '5.9' }, 5],
    ['Integer', ' 7 ', 7],
    ['Integer', true, 1],
    ['Integer', { int: '36893488147419103232' }, { int: '36893488147419103232' }],
    ['Float', '5e-1', { float: '0.5' }],
    ['Float', 1, { float: '1.0' }],
    ['Boolean', 'TRUE', true],
    ['Boolean', '0', false],
    ['Boolean', { float: '2.5' }, true],
  ])('%s(%j) is interpolated to %j, and kept as it was given', (type, raw, value) => {
    const config = new Config();
    const { node } = config.call('new', type, [raw], [], null) as { node: NodeId };
    expect(config.call('get', node)).toEqual(raw);
    expect(config.call('get', (config.call('interpolate', node) as { node: NodeId }).node)).toEqual(value);
  });

  it.each<[string, Wire, string]>([
    ['String', null, "Cannot coerce 'None' to String"],
    ['String', [1], "Cannot coerce '[1]' to String"],
    ['Integer', '5.5', "Cannot coerce '5.5' to Integer"],
    ['Integer', { float: 'nan' }, "Cannot coerce 'nan' to Integer"],
    ['Boolean', 'yes', "Cannot coerce 'yes' to Boolean"],
    ['Boolean', ' 1 ', "Cannot coerce ' 1 ' to Boolean"],
  ])('%s(%j) fails its check', (type, raw, message) => {
    const config = new Config();
    const { node } = config.call('new', type, [raw], [], null) as { node: NodeId };
    expect(config.call('check', node)).toEqual({ ok: false, message: `Unable to interpolate: ${message}` });
    expect(() => config.call('interpolate', node)).toThrow(`CoercionError: ${message}`);
  });

  it('refuse at once what cannot be one of the type', () => {
    const config = new Config();
    const process = config.make('Process', { name: 'p' });
    expect(() => config.make('Task', { owner: 'x' })).toThrow(
      'AttributeError: Unknown schema attribute owner',
    );
    expect(() => config.make('Task', { processes: 'x' })).toThrow('ValueError: ProcessList expects a list');
    expect(() => config.make('Task', { processes: process })).toThrow('got a Process');
    const generator = { other: '<generator>', class: "<type 'generator'>", generator: true };
    expect(() => config.make('Task', { processes: generator })).toThrow('TypeError');
    expect(() => config.call('new', 'LoggerMode', ['loud'], [], null)).toThrow(
      'ValueError: LoggerMode only accepts the following values: standard, rotate',
    );
    expect(() => config.call('new', 'Process', ['x'], [], null)).toThrow(
      'ValueError: Process expects a dict',
    );
  });

  it('of types with the same name and fields are the same, others are not', () => {
    const config = new Config();
    const first = config.struct('Profile', { a: ['String', 'x'], b: 'Integer' });
    expect(config.struct('Profile', { b: 'Integer', a: ['String', 'x'] })).toBe(first);
    expect(config.struct('Profile', { a: ['String', 'y'], b: 'Integer' })).not.toBe(first);
    expect((config.call('type.list', first) as { type: string }).type).toBe('ProfileList');
  });

  it('are compared after interpolation', () => {
    const config = new Config();
    const integer = (raw: Wire) => config.call('new', 'Integer', [raw], [], null) as { node: NodeId };
    expect(config.call('equal', integer('4').node, integer(4) as Wire)).toBe(true);
    expect(config.call('equal', integer(4).node, 4)).toBe(false);
    const a = config.make('Process', { name: 'p', cmdline: 'x', max_failures: '2' });
    const b = config.make('Process', { name: 'p', cmdline: 'x', max_failures: 2 });
    expect(config.call('equal', a.node, b)).toBe(true);
    expect(config.call('less', integer(3).node, integer('04') as Wire)).toBe(true);
  });

  it('of a Choice become the first alternative that they can be', () => {
    const config = new Config();
    const { type } = config.call('type.choice', null, ['Integer', 'String']) as { type: string };
    expect(type).toBe('Choice_Integer_String');
    const become = (raw: Wire) => {
      const { node } = config.call('new', type, [raw], [], null) as { node: NodeId };
      return (config.call('unwrap', node) as { type: string }).type;
    };
    expect([become('4'), become('x'), become('{{unbound}}')]).toEqual(['Integer', 'String', 'Integer']);
  });
});

describe('structs', () => {
  it('are overridden field by field, and stay as they were', () => {
    const config = new Config();
    const process = config.make('Process', { name: 'p', cmdline: 'x', max_failures: 3 });
    const other = config.call('call', process.node, [['max_failures', { empty: true }]], null) as {
      node: NodeId;
    };
    expect(config.call('has', other.node, 'max_failures')).toBe(false);
    expect(config.call('has', process.node, 'max_failures')).toBe(true);
    expect(config.call('attribute', other.node, 'max_failures')).toEqual({ empty: true });
    expect(() => config.call('attribute', other.node, 'owner')).toThrow('Process has no attribute owner');
  });

  it('say what is missing in them from the outside in', () => {
    const config = new Config();
    const task = config.make('Task', { processes: [config.make('Process', { name: 'p' })] });
    expect(config.call('check', task.node)).toEqual({
      ok: false,
      message: 'Task[processes] failed: Element in ProcessList failed check: Process[cmdline] is required.',
    });
  });

  it('follow their lazy defaults', () => {
    const config = new Config();
    const task = config.make('Task', { processes: [config.make('Process', { name: 'p', cmdline: 'x' })] });
    const other = config.make('Process', { name: 'q', cmdline: 'x' });
    const changed = config.call('call', task.node, [['processes', [other]]], null) as { node: NodeId };
    const name = (of: { node: NodeId }) =>
      config.call('text', (config.call('attribute', of.node, 'name') as { node: NodeId }).node);
    expect([name(task), name(changed)]).toEqual(['p', 'q']);
  });
});

describe('scopes', () => {
  const config = new Config();
  const process = (cmdline: string, fields: Record<string, Wire> = {}) =>
    config.make('Process', { name: 'p', cmdline, ...fields });

  it('take text, numbers, nested dicts and addresses', () => {
    const bound = config.bind(
      process('{{a}} {{b.c}} {{m[k]}} {{t}}'),
      dict({ a: { float: '0.30000000000000004' }, b: dict({ c: 1 }), 'm[k]': 'v', t: true }),
    );
    expect(config.cmdline(bound)).toBe('0.3 1 v True');
  });

  it('refuse what is not an address, and what has no text', () => {
    expect(() => config.bind(process(''), dict({ '1': 'x' }))).toThrow('InvalidRefError: 1');
    expect(() => config.bind(process(''), dict({ a: [1] }))).toThrow(
      'ValueError: Environment values must be',
    );
    expect(() => config.bind(process(''), dict({ a: null }))).toThrow(
      'ValueError: Environment values must be',
    );
  });

  it('fields win over what is bound, what is bound last over what was bound first', () => {
    const bound = config.bind(
      config.bind(process('{{name}} {{a}}'), dict({ a: 1, name: 'no' })),
      dict({ a: 2 }),
    );
    expect(config.cmdline(bound)).toBe('p 2');
  });

  it('of the process win over those of the task', () => {
    const own = config.bind(process('{{a}} {{b}} {{user}}'), dict({ a: 'process' }));
    const task = config.make('Task', { processes: [own as Wire], user: 'u-{{name}}' });
    const bound = config.bind(task, dict({ a: 'task', b: 'task' }));
    const { node } = config.call('interpolate', bound.node) as { node: NodeId };
    const value = config.call('get', node) as { dict: [string, [{ dict: [string, string][] }]][] };
    const processes = new Map(value.dict).get('processes')?.[0].dict ?? [];
    // The text of a field is looked at where it is used: {{name}} is the name of the process.
    expect(new Map(processes).get('cmdline')).toBe('process task u-p');
  });

  it('nest inside out, and are gone through until nothing more is found', () => {
    const bound = config.bind(
      process('{{url_{{env}}}} {{{{which}}.host}} {{chain}}'),
      dict({
        env: 'prod',
        url_prod: 'http',
        which: 'db',
        'db.host': 'h',
        chain: '{{next}}',
        next: '{{env}}',
      }),
    );
    expect(config.cmdline(bound)).toBe('http h prod');
  });

  it('count list elements as Python does', () => {
    const { type } = config.call('type.list', 'String') as { type: string };
    const list = config.call('new', type, [['a', 'b']], [], null) as Wire;
    const bound = config.bind(process('{{l[0]}} {{l[-1]}} {{l[00]}} {{l[2]}} {{l[x]}}'), dict({ l: list }));
    expect(config.cmdline(bound)).toBe('a b a {{l[2]}} {{l[x]}}');
  });

  it('keep what is escaped, less one &', () => {
    const bound = config.bind(process('{{&a}} {{&&a}} {{& a b }}'), dict({ a: 1 }));
    expect(config.cmdline(bound)).toBe('{{a}} {{&a}} {{ a b }}');
  });

  it.each([
    ['a cycle', { a: '{{b}}', b: '{{a}}' }, /Maximum replacements reached\.$/],
    ['what grows', { a: 'x{{a}}' }, /Maximum replacements reached\.$/],
    [
      'what doubles',
      { a: '{{a}}{{a}}' },
      /characters of a value .* are too many: at most 1,048,576 are allowed$/,
    ],
  ])('give up %s', (_, bindings, why) => {
    const bound = config.bind(process('{{a}}'), dict(bindings));
    const { ok, message } = config.call('check', bound.node) as { ok: boolean; message: string };
    expect([ok, message]).toEqual([false, expect.stringMatching(why)]);
  });

  it('find the first of equal keys of a map, whatever is looked for before', () => {
    const { type } = config.call('type.map', 'String', 'String') as { type: string };
    const entries = [
      ['{{a}}', 'first'],
      ['b', 'second'],
      ['k', 'third'],
      ['{{', 'fourth'],
    ];
    const map = config.call('new', type, [{ dict: entries }], [], null) as { node: NodeId };
    for (const [order, texts] of [
      ['{{m[b]}} {{m[k]}} {{m[b]}}', 'second third second'],
      ['{{m[none]}} {{m[k]}}', '{{m[none]}} third'],
    ] as const) {
      expect(config.cmdline(config.bind(process(order), dict({ m: map as Wire })))).toBe(texts);
    }
    const bound = config.call('new', type, [{ dict: [['{{x}}', 'late']] }], [], null) as { node: NodeId };
    expect(config.cmdline(config.bind(process('{{m[y]}}'), dict({ m: bound as Wire, x: 'y' })))).toBe(
      '{{m[y]}}',
    );
  });

  it('say which refs are left', () => {
    const { refs } = config.call('interpolate', process('{{b}} {{a}} {{b}} {{thermos.ports[x]}}').node) as {
      refs: string[];
    };
    expect(refs).toEqual(['b', 'a', 'thermos.ports[x]']);
  });
});

describe('helpers', () => {
  const config = new Config();
  const process = (name: string) => config.make('Process', { name, cmdline: 'true' });
  const constraintsOf = (task: unknown): unknown => {
    const field = config.call('attribute', (task as { node: NodeId }).node, 'constraints') as {
      node: NodeId;
    };
    return (config.call('get', field.node) as { dict: [string, string[]][] }[]).map(({ dict: [entry] }) =>
      entry?.[1].join(' '),
    );
  };

  it('order names processes', () => {
    const [constraint] = config.call('order', [process('a'), 'b']) as [{ node: NodeId }];
    expect(config.call('get', constraint.node)).toEqual(dict({ order: ['a', 'b'] }));
    expect(() => config.call('order', [5])).toThrow('ValueError: Unknown value for process order: int 5');
  });

  it('SequentialTask orders the processes that there are, unless there are constraints', () => {
    const processes: Wire = [process('a'), process('b')];
    const task = config.call('sequential_task', [], [['processes', processes]], null);
    expect(constraintsOf(task)).toEqual(['a b']);
    const given: Wire = [
      ['processes', processes],
      ['constraints', config.call('order', ['a', 'b']) as Wire],
    ];
    expect(() => config.call('sequential_task', [], given, null)).toThrow('with existing constraints');
  });

  it('combine sums, concat takes the largest and orders all of one before all of the next', () => {
    const task = (name: string, cpu: number) =>
      config.make('Task', {
        name,
        processes: [process(`${name}1`), process(`${name}2`)],
        resources: dict({ cpu, ram: 10 * cpu, disk: 1 }),
      });
    const tasks = [task('a', 1), task('b', 2)];
    const resourcesOf = (of: unknown) => {
      const field = config.call('attribute', (of as { node: NodeId }).node, 'resources') as { node: NodeId };
      return config.call('get', field.node);
    };
    const combined = config.call('combine_tasks', tasks, [], null);
    expect(resourcesOf(combined)).toEqual(dict({ cpu: { float: '3.0' }, ram: 30, disk: 2, gpu: 0 }));
    expect(constraintsOf(combined)).toEqual([]);
    const chained = config.call('concat_tasks', tasks, [], null);
    expect(resourcesOf(chained)).toEqual(dict({ cpu: { float: '2.0' }, ram: 20, disk: 1, gpu: 0 }));
    expect(constraintsOf(chained)).toEqual(['a1 b1', 'a1 b2', 'a2 b1', 'a2 b2']);
    expect(() => config.call('combine_tasks', tasks, [['resources', null]], null)).toThrow('TypeError');
  });

  it('options are flags, with a value where it is not false', () => {
    const args: Wire = ['a', 'bb', dict({ c: 1, dd: '', e: { float: '0.30000000000000004' } })];
    expect(config.call('options', 'python', args, [['ff', 'x']])).toBe('-a --bb -c 1 --dd -e 0.3 --ff x');
    expect(config.call('options', 'java', args, [])).toBe('-a -bb -c 1 -dd -e 0.3');
  });
});

it('says every failure in the answer', () => {
  const { session } = new Config();
  expect(JSON.parse(session.call('nonsense', '[]'))).toEqual({
    error: { type: 'TypeError', message: 'there is no such operation' },
  });
  expect(JSON.parse(createSession().call('get', '[999999]'))).toEqual({
    error: { type: 'TypeError', message: 'no object has the id 999999' },
  });
});

it('gives the values of a namespace the same ids in every session', () => {
  const names = (dialect: string) => new Config().call('namespace', dialect);
  expect(names('aurora')).toEqual(names('aurora'));
  const { types } = names('thermos') as { types: Record<string, string> };
  expect(Object.keys(types)).not.toContain('Job');
});
