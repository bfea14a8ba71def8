import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EvaluatedTask, evaluate, prepareRun, type Request } from '../../src/config/evaluate.js';
import { loadConfig } from '../../src/config/load.js';
import { ConfigError, type Program } from '../../src/config/program.js';
import { tempDir } from '../e2e/harness.js';

let dir: ReturnType<typeof tempDir>;
beforeAll(() => {
  dir = tempDir();
});
afterAll(() => dir.remove());

const REQUEST: Request = { bindings: [], ports: new Map(), hostname: 'host' };

function load(name: string, content: string | Buffer, execute: (program: Program) => void = () => {}) {
  const path = join(dir.path, name);
  writeFileSync(path, content);
  return loadConfig(path, {
    environment: {},
    cwd: dir.path,
    print: () => {},
    python: async () => async (program) => execute(program),
  });
}

async function loadTask(task: object, request: Partial<Request> = {}): Promise<EvaluatedTask> {
  return evaluate(await load('task.json', JSON.stringify(task)), { ...REQUEST, ...request });
}

/** The failure, with its paths relative to the directory. */
async function failure(result: Promise<unknown>): Promise<ConfigError> {
  try {
    await result;
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('it did not fail');
}

function said({ message, problems }: ConfigError): string[] {
  return [message, ...problems.map((problem) => problem.message)].map((text) =>
    text.replaceAll(`${dir.path}/`, ''),
  );
}

const PROCESS = { name: 'p', cmdline: 'true' };

describe('a config in JSON', () => {
  it('is one task; what a task has not is left out, what is not set is filled in', async () => {
    const { document, lint } = await loadTask({ processes: [{ ...PROCESS, max_failures: '3' }], extra: 1 });
    expect(lint).toEqual([]);
    expect(document).toEqual({
      name: 'p',
      processes: [
        {
          name: 'p',
          cmdline: 'true',
          max_failures: 3,
          daemon: false,
          ephemeral: false,
          min_duration: 5,
          final: false,
        },
      ],
      constraints: [],
      max_failures: 1,
      max_concurrency: 0,
      finalization_wait: 30,
    });
  });

  it('starts no Python, whatever it is named', async () => {
    const content = JSON.stringify({ processes: [PROCESS] });
    const refuse = () => {
      throw new Error('Python was started');
    };
    expect((await load('task.thermos', `\n ${content}`, refuse)).kind).toBe('json');
    expect((await load('task', content, refuse)).kind).toBe('json');
  });

  it.each([
    ['{"processes": [', 'bad.json, line 1: it ends where a value is expected: it looks cut off'],
    ['export(Task())', 'bad.json, line 1: a value is expected, not "e"'],
    ['[]', 'bad.json holds a list, not a task'],
    ['5', 'bad.json holds one value, not a task'],
    ['{"processes": "p"}', "bad.json: processes: ProcessList expects a list, got str 'p'"],
    ['{"processes": [{"nmae": "p"}]}', "bad.json: processes[0]: there is no field 'nmae'"],
    ['{"processes": [{"name": "p"}]}', "bad.json: process 'p': Process needs a cmdline"],
    [
      '{"processes": [{"name": "p", "cmdline": "x", "max_failures": "{{n}}"}]}',
      "bad.json: process 'p': max_failures: nothing is bound to {{n}}, so it is not an Integer",
    ],
    [
      '{"processes": [{"name": "a/b", "cmdline": "x"}]}',
      "bad.json: process 'a/b': name: the name of a process contains a /: it names its log directory",
    ],
    ['{}', 'bad.json: the task has no processes'],
  ])('%s is refused', async (content, message) => {
    const error = await failure(load('bad.json', content).then((config) => evaluate(config, REQUEST)));
    expect(said(error)).toEqual([message]);
    expect(error.exitCode).toBe(2);
  });

  it('reports each of its errors', async () => {
    const processes = [
      { name: 'a', cmdline: '{{ x }}' },
      { name: 'b', cmdline: 'x', daemon: 'maybe' },
    ];
    const error = await failure(loadTask({ processes, resources: { cpu: 1 } }));
    expect([error.phase, ...said(error)]).toEqual([
      'typecheck',
      'task.json has 4 errors',
      "task.json: process 'a': cmdline: {{ x }} has blanks inside the braces, so it is not a reference",
      "task.json: process 'b': daemon: Cannot coerce 'maybe' to Boolean",
      'task.json: resources: Resources needs a ram',
      'task.json: resources: Resources needs a disk',
    ]);
  });
});

describe('a file that is none', () => {
  it('is said to be missing, a directory, binary', async () => {
    const at = (name: string) =>
      failure(
        loadConfig(join(dir.path, name), {
          environment: {},
          cwd: '/',
          print: () => {},
          python: null as never,
        }),
      );
    mkdirSync(join(dir.path, 'directory'));
    expect(said(await at('missing.thermos'))).toEqual(['there is no file missing.thermos']);
    expect(said(await at('directory'))).toEqual(['cannot read the config directory: it is a directory']);
    const binary = await failure(load('binary.thermos', Buffer.from([0x7f, 0x45, 0, 1])));
    expect(said(binary)).toEqual(['cannot read the config binary.thermos: it is a binary file']);
  });
});

/** What a program in Python would call. */
function building(build: (call: (operation: string, ...args: unknown[]) => unknown) => void) {
  return (program: Program): void =>
    build((operation, ...args) => {
      const answer = JSON.parse(program.session.call(operation, JSON.stringify(args)));
      if ('error' in answer) throw new Error(answer.error.message);
      return answer.value;
    });
}

const exporting = (...names: string[]) =>
  building((call) => {
    for (const [i, name] of names.entries()) {
      const at = ['c.thermos', i + 1];
      const process = call('new', 'Process', [], Object.entries({ name: 'p', cmdline: 'true' }), at);
      call(
        'export',
        call(
          'new',
          'Task',
          [],
          [
            ['name', name],
            ['processes', [process]],
          ],
          at,
        ),
        at,
      );
    }
  });

describe('of the tasks of a config', () => {
  it.each([
    [[], undefined, 'c.thermos has no task', 'task-missing'],
    [['a', 'b'], undefined, 'c.thermos has 2 tasks, and none is chosen: a, b', 'task-not-chosen'],
    [['a', 'b'], 'c', "c.thermos has no task 'c'; it has a, b", 'task-not-found'],
  ])('%j none is %s', async (names, task, message, code) => {
    const config = await load('c.thermos', '', exporting(...names));
    const error = await failure((async () => evaluate(config, { ...REQUEST, task }))());
    expect([...said(error), error.code, error.phase]).toEqual([message, code, 'select']);
  });

  it('the only one is chosen, or the one that is named', async () => {
    const one = await load('c.thermos', '', exporting('a'));
    expect(evaluate(one, REQUEST).document.name).toBe('a');
    const several = await load('c.thermos', '', exporting('a', 'b'));
    expect(evaluate(several, { ...REQUEST, task: 'b' }).document.name).toBe('b');
  });

  it('what is none is refused', async () => {
    const config = await load(
      'c.thermos',
      '',
      building((call) => call('export', ['x'], ['c.thermos', 7])),
    );
    const error = await failure((async () => evaluate(config, REQUEST))());
    expect(error.message).toBe("export() takes a Task, got list ['x'] (line 7)");
  });
});

describe('lint', () => {
  const two = [PROCESS, { name: 'q', cmdline: 'true' }];
  const lintOf = async (task: object, request: Partial<Request> = {}) => {
    // As a program, so that errors are reported and not thrown.
    const config = await load(
      'c.thermos',
      '',
      building((call) => call('export', wire(task), ['c.thermos', 3])),
    );
    return evaluate(config, { ...REQUEST, ...request }).lint.map(({ severity, code, process, field, line }) =>
      [severity, code, process, field, line].filter((each) => each !== undefined).join(' '),
    );
  };

  it.each<[string, object, string[]]>([
    ['a fine task', { processes: [PROCESS] }, []],
    ['a Task without processes', { name: 'x' }, ['error task-empty 3']],
    [
      'an unbound ref',
      { processes: [{ name: 'p', cmdline: '{{a}} {{b}}' }] },
      ['error ref-unbound p cmdline 3', 'error ref-unbound p cmdline 3'],
    ],
    ['a ref in the name', { name: '{{a}}', processes: [PROCESS] }, ['error ref-unbound name 3']],
    [
      'a port by a dot',
      { processes: [{ name: 'p', cmdline: '{{thermos.ports.x}}' }] },
      ['error port-invalid p cmdline 3'],
    ],
    [
      'an escape that is lost',
      { processes: [{ name: 'p', cmdline: '{{&a}}' }] },
      ['error escape-lost p cmdline 3'],
    ],
    ['an escape that survives', { processes: [{ name: 'p', cmdline: '{{&&&&&a}} {{&&&&& b c }}' }] }, []],
    [
      'what the run knows',
      { processes: [{ name: 'p', cmdline: '{{thermos.task_id}}{{thermos.user}}{{thermos.ports[x]}}' }] },
      [],
    ],
    [
      'names',
      {
        processes: [
          { name: '.p', cmdline: '' },
          { name: '', cmdline: '' },
        ],
      },
      ['error name-invalid .p name 3', 'error name-invalid  name 3'],
    ],
    [
      'a cycle',
      { processes: two, constraints: [{ order: ['p', 'q'] }, { order: ['q', 'p'] }] },
      ['error plan-invalid constraints 3'],
    ],
    [
      'an order with a stranger',
      { processes: two, constraints: [{ order: ['p', 'x'] }] },
      ['error plan-invalid constraints[0].order 3'],
    ],
    ['an order without names', { processes: two, constraints: [{}] }, ['error plan-invalid constraints 3']],
    [
      'an order of strangers',
      { processes: two, constraints: [{ order: ['x', 'y'] }] },
      ['warning constraint-unknown constraints[0].order 3'],
    ],
    ['a name that stands twice', { processes: [PROCESS, PROCESS] }, ['warning process-duplicate p name 3']],
  ])('of %s', async (_, task, problems) => {
    expect(await lintOf(task)).toEqual(problems);
  });

  it('of a port that nothing uses, and of an escape that is replaced', async () => {
    const task = { processes: [{ name: 'p', cmdline: '{{&a}} {{thermos.ports[x]}}' }] };
    const ports = new Map([
      ['x', 1],
      ['y', 2],
    ]);
    expect(await lintOf(task, { ports, bindings: [['a', '1']] })).toEqual([
      'warning escape-lost p cmdline 3',
      'warning port-unused 3',
    ]);
  });

  it('of no port that the config binds by itself, if another number is given', async () => {
    const task = { processes: [{ name: 'p', cmdline: '{{thermos.ports[x]}}' }] };
    const ports = new Map([['x', 1]]);
    expect(await lintOf(task, { ports, bindings: [['thermos.ports[x]', '2']] })).toEqual([]);
  });
});

describe('some of the processes', () => {
  const task = {
    processes: [
      { name: 'a', cmdline: 'a' },
      { name: 'b', cmdline: '{{unbound}} {{thermos.ports[b]}}' },
      { name: 'c', cmdline: '{{thermos.ports[c]}}' },
      { name: 'f', cmdline: 'f', final: true },
    ],
    constraints: [{ order: ['a', 'b'] }, { order: ['b', 'c'] }],
  };
  const chosen = async (kind: 'only' | 'from', ...words: string[]) => {
    const evaluated = await loadTask(task, { selection: { kind, words } });
    const { processes, constraints } = evaluated.document;
    const names = (processes as { name: string }[]).map(({ name }) => name);
    return { ...evaluated, names, constraints };
  };

  it('are a task with the constraints among them', async () => {
    expect(await chosen('only', 'a', 'c')).toMatchObject({
      names: ['a', 'c'],
      constraints: [{ order: ['a', 'c'] }],
      lint: [],
    });
    expect(await chosen('from', 'c')).toMatchObject({ names: ['c', 'f'], constraints: [], lint: [] });
  });

  it('need only their own ports and values', async () => {
    expect((await chosen('only', 'a')).unboundPorts).toEqual([]);
    expect((await chosen('from', 'c')).unboundPorts).toEqual(['c']);
    const error = await failure(chosen('from', 'b'));
    expect([error.code, ...said(error)]).toEqual([
      'ref-unbound',
      "task.json: process 'b': cmdline: nothing is bound to {{unbound}}",
    ]);
  });

  it('have names that the task has', async () => {
    const error = await failure(chosen('only', 'a,x'));
    expect([error.code, error.exitCode, ...said(error), error.hint]).toEqual([
      'process-not-found',
      2,
      "task.json has no process 'x'",
      'it has a, b, c, f',
    ]);
  });

  it('are not chosen from a task that cannot be run: that is reported', async () => {
    const cycle = { ...task, constraints: [{ order: ['b', 'a', 'b'] }] };
    const error = await failure(loadTask(cycle, { selection: { kind: 'only', words: ['c'] } }));
    expect([error.message, ...error.problems.map(({ message }) => message)].join()).toContain(
      'processes wait for each other',
    );
  });
});

function wire(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(wire);
  if (typeof value !== 'object' || value === null) return value;
  return { dict: Object.entries(value).map(([key, each]) => [key, wire(each)]) };
}

describe('a run', () => {
  const task = {
    name: 't-{{x}}',
    processes: [
      { name: 'p', cmdline: '{{x}} {{thermos.task_id}} {{thermos.user}} {{thermos.ports[http]}} {{&&&&&x}}' },
    ],
  };
  const context = { taskId: 'id', user: 'me', ports: new Map([['http', 8080]]) };

  it('has everything filled in', async () => {
    const config = await load('task.json', JSON.stringify(task));
    const evaluated = evaluate(config, { ...REQUEST, bindings: [['x', 'a=b']] });
    expect(evaluated.unboundPorts).toEqual(['http']);
    const { document, plan } = prepareRun(config, evaluated, context);
    expect(document).toMatchObject({ name: 't-a=b', processes: [{ cmdline: 'a=b id me 8080 {{x}}' }] });
    expect([...plan.regular.dependencies.keys()]).toEqual(['p']);
  });

  it('is refused without its ports', async () => {
    const config = await load('task.json', JSON.stringify(task));
    const evaluated = evaluate(config, { ...REQUEST, bindings: [['x', '1']] });
    const error = await failure(
      (async () => prepareRun(config, evaluated, { ...context, ports: new Map() }))(),
    );
    expect([...said(error), error.hint]).toEqual([
      "task.json: the task needs the port 'http'",
      'pass it with -P http:PORT',
    ]);
  });

  it('is refused with all that the lint has as errors', async () => {
    const config = await load(
      'c.thermos',
      '',
      building((call) => call('export', wire(task), ['c.thermos', 1])),
    );
    const error = await failure((async () => prepareRun(config, evaluate(config, REQUEST), context))());
    expect([error.exitCode, ...said(error)]).toEqual([
      2,
      'c.thermos has 2 errors',
      'c.thermos:1: name: nothing is bound to {{x}}',
      "c.thermos:1: process 'p': cmdline: nothing is bound to {{x}}",
    ]);
  });
});
