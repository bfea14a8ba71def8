import { describe, expect, it } from 'vitest';
import { evaluate, prepareRun, type Request } from '../../src/config/evaluate.js';
import type { NodeId, Wire } from '../../src/config/model.js';
import { ConfigError } from '../../src/config/program.js';
import { createSession } from '../../src/config/session.js';

const REQUEST: Request = { bindings: [], ports: new Map(), instance: 2, hostname: 'host1' };

/** A file with these jobs, as Python would have left it; each has what a job needs but for what is given. */
function config(...jobs: Record<string, Wire | undefined>[]) {
  const session = createSession();
  const call = (operation: string, ...args: unknown[]) => {
    const answer = JSON.parse(session.call(operation, JSON.stringify(args)));
    if ('error' in answer) throw new Error(answer.error.message);
    return answer.value as { node: NodeId };
  };
  const whole = { role: 'r', cluster: 'c', environment: 'test', task: task('true') };
  const made = jobs.map((given) => {
    const fields = Object.entries({ ...whole, ...given }).filter(([, value]) => value !== undefined);
    return call('new', 'MesosJob', [], fields, ['web.aurora', 5]);
  });
  call('jobs', made);
  return { path: 'web.aurora', kind: 'aurora' as const, session };
}

function dict(entries: Record<string, Wire>): Wire {
  return { dict: Object.entries(entries) };
}

function task(cmdline: string, fields: Record<string, Wire> = {}): Wire {
  const resources = dict({ cpu: 1, ram: 1 << 20, disk: 1 << 20 });
  return dict({ processes: [dict({ name: 'p', cmdline })], resources, ...fields });
}

function cmdline(given: ReturnType<typeof config>, request: Partial<Request> = {}): unknown {
  const { document } = evaluate(given, { ...REQUEST, ...request });
  return (document.processes as { cmdline: string }[])[0]?.cmdline;
}

function failure(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof ConfigError) return `${error.phase} ${error.code} ${error.message}`;
    throw error;
  }
  throw new Error('it did not fail');
}

describe('the task of a job', () => {
  it('knows what the executor would: role, cluster, user, instance, host', () => {
    const line =
      '{{role}} {{cluster}} {{environment}} {{name}} {{mesos.role}} {{mesos.cluster}} {{thermos.user}}';
    const of = config({ task: task(`${line} {{mesos.instance}} {{mesos.hostname}} {{thermos.task_id}}`) });
    expect(cmdline(of)).toBe('r c test p r c r 2 host1 {{thermos.task_id}}');
  });

  it('can be bound from outside, also as another host', () => {
    const of = config({ task: task('{{version}} {{mesos.hostname}}') });
    const bindings: [string, string][] = [
      ['version', '1'],
      ['mesos.hostname', 'elsewhere'],
    ];
    expect(cmdline(of, { bindings })).toBe('1 elsewhere');
  });

  it('is run with the ports that stand for others', () => {
    const announce = dict({ portmap: dict({ aurora: 'http', alias: 'aurora', admin: '8080' }) });
    const ports = ['http', 'alias', 'admin', 'own'].map((port) => `{{thermos.ports[${port}]}}`).join(' ');
    const of = config({ announce, task: task(ports) });
    const request = { ...REQUEST, ports: new Map([['http', 1]]) };
    const evaluated = evaluate(of, request);
    expect(evaluated.unboundPorts).toEqual(['own']);
    const context = {
      taskId: 't',
      user: 'u',
      ports: new Map([
        ['http', 1],
        ['own', 2],
      ]),
    };
    const { document } = prepareRun(of, evaluate(of, { ...request, ports: context.ports }), context);
    expect(document.processes).toMatchObject([{ cmdline: '1 1 8080 2' }]);
  });

  it('asks only for the ports of the chosen processes', () => {
    const announce = dict({ portmap: dict({ aurora: 'http', extra: 'own' }) });
    const processes = [
      dict({ name: 'p', cmdline: '{{thermos.ports[aurora]}}' }),
      dict({ name: 'q', cmdline: '{{thermos.ports[own]}} {{mesos.instance}}' }),
    ];
    const resources = dict({ cpu: 1, ram: 1 << 20, disk: 1 << 20 });
    const of = config({ announce, task: dict({ processes, resources }) });
    const chosen = (...words: string[]) => evaluate(of, { ...REQUEST, selection: { kind: 'only', words } });
    expect(chosen('p').unboundPorts).toEqual(['http']);
    expect(chosen('q').unboundPorts).toEqual(['own']);
    expect(chosen('q').document.processes).toMatchObject([{ cmdline: '{{thermos.ports[own]}} 2' }]);
    expect(failure(() => chosen('x'))).toBe("select process-not-found web.aurora has no process 'x'");
  });

  it('asks for the ports that no portmap resolves, each once', () => {
    const announce = dict({ portmap: dict({ aurora: 'http', alias: 'aurora', admin: '8080' }) });
    const ports = ['aurora', 'alias', 'admin', 'own'].map((port) => `{{thermos.ports[${port}]}}`).join(' ');
    const of = config({ announce, task: task(ports) });
    const asked = (given: [string, number][]) => {
      const context = { taskId: 't', user: 'u', ports: new Map(given) };
      try {
        prepareRun(of, evaluate(of, { ...REQUEST, ports: context.ports }), context);
        return [];
      } catch (error) {
        const { hint, problems } = error as ConfigError;
        return [hint, ...problems.map((problem) => problem.hint)].filter((each) => each !== undefined);
      }
    };
    expect(asked([])).toEqual(['pass it with -P http:PORT', 'pass it with -P own:PORT']);
    expect(asked([['own', 1]])).toEqual(['pass it with -P http:PORT']);
    expect(asked([['http', 1]])).toEqual(['pass it with -P own:PORT']);
    expect(asked([['aurora', 1]])).toEqual(['pass it with -P http:PORT', 'pass it with -P own:PORT']);
    expect(
      asked([
        ['http', 1],
        ['own', 2],
      ]),
    ).toEqual([]);
  });
});

describe('a job is chosen', () => {
  const of = config({ name: 'a' }, { name: 'b' }, { name: 'b', environment: 'prod' });

  it('by its name or the end of its key', () => {
    expect(evaluate(of, { ...REQUEST, job: 'a' }).lint).toEqual([]);
    expect(evaluate(of, { ...REQUEST, job: 'prod/b' }).lint).toEqual([]);
    expect(evaluate(of, { ...REQUEST, job: 'c/r/test/b' }).lint).toEqual([]);
  });

  it.each([
    [
      undefined,
      'select job-not-chosen web.aurora has 3 jobs, and none is chosen: c/r/test/a, c/r/test/b, c/r/prod/b',
    ],
    ['b', "select job-not-chosen web.aurora has 2 jobs 'b': c/r/test/b, c/r/prod/b"],
    [
      'rod/b',
      "select job-not-found web.aurora has no job 'rod/b'; it has c/r/test/a, c/r/test/b, c/r/prod/b",
    ],
  ])('not by %s', (job, message) => {
    expect(failure(() => evaluate(of, { ...REQUEST, job }))).toBe(message);
  });

  it('only if there is one', () => {
    expect(failure(() => evaluate(config(), REQUEST))).toBe('select job-missing web.aurora has no jobs');
    const { session } = config();
    session.call('jobs', '[[5]]');
    const of = { path: 'web.aurora', kind: 'aurora' as const, session };
    expect(failure(() => evaluate(of, REQUEST))).toBe(
      'select job-invalid web.aurora: jobs holds int 5, not a Job',
    );
  });

  it.each([
    [{ role: undefined }, "typecheck job-incomplete web.aurora: the job 'p' needs a role"],
    [{ cluster: undefined }, "typecheck job-incomplete web.aurora: the job 'p' needs a cluster"],
    [
      { task: dict({ name: 'x' }) },
      "typecheck job-incomplete web.aurora: the task of the job 'x' has no processes",
    ],
  ])('not without what it needs: %j', (given, message) => {
    expect(failure(() => evaluate(config(given), REQUEST))).toBe(message);
  });
});

describe('what Aurora would refuse', () => {
  const at = 'web.aurora:5: ';
  it.each<[string, Record<string, Wire | undefined>, string]>([
    ['no environment', { environment: undefined }, "job 'p': MesosJob needs an environment"],
    ['a bad role', { role: 'a b' }, "job 'p': role: 'a b' may contain only letters, digits, _, - and ."],
    [
      'no resources',
      { task: dict({ processes: [dict({ name: 'p', cmdline: 'x' })] }) },
      "job 'p': task: a task of a job needs resources",
    ],
    [
      'too little memory',
      { task: task('x', { resources: dict({ cpu: 1, ram: 5, disk: 1 << 20 }) }) },
      "job 'p': task.resources.ram: 5 is too little: Aurora counts ram and disk in MiB",
    ],
    [
      'an unbound ref',
      { task: task('{{version}}') },
      "job 'p': process 'p': cmdline: nothing is bound to {{version}}",
    ],
    [
      'an unknown policy',
      { cron_collision_policy: 'WAIT' },
      "job 'p': cron_collision_policy: WAIT is not a policy",
    ],
    [
      'a port that stands for itself',
      { announce: dict({ portmap: dict({ a: 'b', b: 'a' }) }) },
      "job 'p': announce.portmap: the port a refers to itself",
    ],
    [
      'a nested instance',
      { task: task('{{names[{{mesos.instance}}]}}') },
      "process 'p': cmdline: nothing is bound to {{names[2]}}",
    ],
  ])('%s', (_, given, message) => {
    const { lint, document } = evaluate(config(given), REQUEST);
    expect(lint[0]).toMatchObject({ severity: 'error', message: `${at}${message}`, line: 5 });
    expect(document.processes).toBeDefined();
  });

  it.each<[string, Record<string, Wire>, string]>([
    ['a wrong type', { instances: 'many' }, 'web.aurora:5: instances: Cannot coerce'],
    [
      'blanks in a reference',
      { task: task('{{ x }}') },
      "web.aurora:5: process 'p': cmdline: {{ x }} has blanks",
    ],
    [
      'resources that are missing',
      { task: task('x', { resources: dict({ cpu: 1 }) }) },
      'web.aurora has 2 errors',
    ],
  ])('%s leaves no task to show', (_, given, message) => {
    expect(failure(() => evaluate(config(given), REQUEST))).toContain(message);
  });

  it('names the plug-in that would have filled it in', () => {
    const { lint } = evaluate(config({ task: task('run {{docker.image[web][1]}}') }), REQUEST);
    expect(lint[0]?.hint).toMatch(/plug-in of the Aurora client/);
  });
});
