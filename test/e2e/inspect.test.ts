import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { isRejection, LINKED, loadCases, plain, withFailedFields } from '../checkpoint/corpus.js';
import { FAILED, RAN, Records, writeTask } from '../task/trees.js';
import { CONTROL } from '../views/task-views.js';
import { DEFAULT_ROOTS, FIXTURES, placeForEach, thermos } from './harness.js';
import { expectContract, json } from './tasks.js';

const HOST = join(FIXTURES, 'host', 'root');
const MESOS = join(FIXTURES, 'mesos');

const temp = placeForEach();
let root: string;
beforeEach(() => {
  ({ root } = temp);
});

test('every stream of the corpus: a document, a documented exit code, the state of the original', () => {
  const streams = loadCases().flatMap((from) => Object.keys(from.expected).map((path) => ({ from, path })));
  const answers = streams.map(({ from, path }) => thermos(['inspect', '--json', join(from.dir, path)]));
  for (const [i, { from, path }] of streams.entries()) {
    const { stdout, stderr, status } = answers[i] as (typeof answers)[number];
    const about = `${from.name} ${path}`;
    const document = JSON.parse(stdout);
    expectContract('inspect', document);
    expect([about, status === 0 || status === 5]).toEqual([about, true]);
    const errors = document.problems.filter(({ severity }: { severity: string }) => severity === 'error');
    expect([about, errors.length > 0]).toEqual([about, status === 5]);
    expect([about, stderr === '']).toEqual([about, document.problems.length === 0]);
    const verdict = from.expected[path];
    if (verdict === undefined || isRejection(verdict) || from.name === LINKED) continue;
    expect([about, document.state]).toEqual([about, verdict.statuses.at(-1)?.state ?? 'UNKNOWN']);
    expect([about, document.statuses, document.header]).toEqual([
      about,
      plain(verdict.statuses),
      plain(verdict.header),
    ]);
    if (!['SUCCESS', 'FAILED', 'KILLED', 'LOST'].includes(document.state)) continue;
    const complete = withFailedFields(verdict, from.records[path] ?? []);
    expect([about, plain(document.history)]).toEqual([about, complete.processes]);
  }
});

test('as text: every task of both fixtures', () => {
  const { tasks } = json('status', ['--root', HOST, '--mesos-root', MESOS]).json;
  const of = ({ root: path, task_id }: { root: string; task_id: string }) => [
    'inspect',
    `${path}/checkpoints/${task_id}`,
  ];
  const answers = tasks.map((task: Parameters<typeof of>[0]) => thermos(of(task)));
  for (const [i, { stdout, status }] of answers.entries()) {
    expect(status === 0 || status === 5).toBe(true);
    expect(stdout.startsWith(`Task:       ${tasks[i].task_id}\n`)).toBe(true);
    expect(stdout).toMatch(/\nWHY\n {2}\S/);
    expect(stdout).not.toMatch(/ $/m);
    expect(stdout).not.toMatch(CONTROL);
  }
});

describe('why', () => {
  test('the real end of a real failure', () => {
    const { json: document } = json('inspect', ['--root', HOST, 'host-bad']);
    expect(document.why.slice(0, 2)).toEqual([
      'The task ended FAILED at 2026-11-21T18:38:02.688Z.',
      'Process a failed first: run 1, exit code 2, at 2026-11-21T18:38:01.698Z.',
    ]);
  });

  test('the last lines of stderr of the one that failed first, its escapes shown as text', () => {
    const sandbox = join(temp.path, 'sandbox');
    const log_dir = join(sandbox, '.logs');
    mkdirSync(join(log_dir, 'p/1'), { recursive: true });
    const lines = Array.from({ length: 30 }, (_, i) => `line ${i}`);
    writeFileSync(join(log_dir, 'p/1/stderr'), `${lines.join('\n')}\n\u001b[31mlast, unfinished`);
    writeTask(root, 't', {
      phase: 'finished',
      task: {
        processes: [{ name: 'p', max_failures: 2 }, { name: 'q' }],
        constraints: [{ order: ['p', 'q'] }],
      },
      runner: new Records()
        .status('ACTIVE')
        .header({ sandbox, log_dir })
        .process('p', ...FAILED, ...FAILED)
        .status('FAILED'),
    });
    const { json: document, status } = json('inspect', ['--root', root, 't']);
    expect(status).toBe(0);
    expect(document.why).toEqual([
      'The task ended FAILED at 2014-05-13T16:53:20Z.',
      'Process p failed first: run 1, exit code 7, at 2014-05-13T16:53:23Z.',
      'Its stderr ends with:',
      ...lines.slice(-9).map((line) => `  | ${line}`),
      '  | \u001b[31mlast, unfinished',
      'Process p: 2 of 2 allowed failures used, so it is not run again.',
      'Process q never started: it needed p (FAILED).',
    ]);
    expect(document.ordering).toEqual([
      { process: 'p', after: [] },
      { process: 'q', after: ['p'] },
    ]);
    const size = Buffer.byteLength(`${lines.join('\n')}\n\u001b[31mlast, unfinished`);
    expect(document.logs).toEqual([
      { process: 'p', run: 1, stream: 'stderr', path: join(log_dir, 'p/1/stderr'), bytes: size },
    ]);
    const { stdout } = thermos(['inspect', '--root', root, 't']);
    expect(stdout).toContain('    | \\e[31mlast, unfinished\n');
    expect(stdout).toContain('  p FAILED\n  └─ q WAITING\n');
  });
});

describe('which task', () => {
  test('several ids: exit 2, and they are named', () => {
    const answer = json('inspect', ['--root', HOST, 'host-ok']);
    expect([answer.status, answer.json.error]).toEqual([
      2,
      {
        code: 'ambiguous-task',
        message: "'host-ok' matches 2 tasks",
        hint: 'name one of host-ok-1, host-ok-2',
      },
    ]);
    const none = json('inspect', ['--root', HOST]);
    expect([none.status, none.json.error.code]).toEqual([2, 'task-missing']);
  });

  test('none: exit 1; a bad pattern: exit 2', () => {
    const none = json('inspect', ['--root', HOST, 'nothing-like-it']);
    expect([none.status, none.json.error.code]).toEqual([1, 'task-not-found']);
    expect(json('inspect', ['--root', HOST, '(']).status).toBe(2);
    expect(thermos(['inspect', '--root', HOST, 'host-bad', 'host-ok-1'])).toMatchObject({
      status: 2,
      stdout: '',
    });
  });

  test('a pattern that means one, and inside a sandbox none is needed', () => {
    expect(json('inspect', ['--root', HOST, '*.name']).json.task_id).toBe('other.name');
    const [task] = json('status', ['--mesos-root', MESOS, '--state', 'LOST']).json.tasks;
    const cwd = join(task.root, '..', 'sandbox');
    expect(readdirSync(cwd)).not.toEqual([]);
    expect(json('inspect', [], { cwd, env: DEFAULT_ROOTS }).json.task_id).toBe(task.task_id);
  });

  test('the same id in two roots: the one launched last, and a word about the other', () => {
    const other = join(temp.path, 'other');
    writeTask(root, 't', {
      runner: new Records().status('ACTIVE').header({ launch_time_ms: 5, user: 'old' }),
    });
    writeTask(other, 't', {
      runner: new Records().status('ACTIVE').header({ launch_time_ms: 6, user: 'new' }),
    });
    const answer = json('inspect', ['--root', root, '--root', other, 't']);
    expect([answer.status, answer.json.user, answer.json.problems]).toEqual([
      0,
      'new',
      [expect.objectContaining({ code: 'task-in-several-roots', path: root })],
    ]);
    const { stdout } = thermos(['inspect', '--root', root, '--root', other, 't']);
    expect(stdout.match(/^Task: /gm)).toHaveLength(2);
  });
});

test('a task of which only the task file is left', () => {
  writeTask(root, 't', {
    runner: null,
    task: { name: 'n', processes: [{ name: 'p', cmdline: 'a\nb' }], resources: { ram: 5 } },
  });
  const answer = json('inspect', ['--root', root, 't']);
  expect([answer.status, answer.json.header, answer.json.task.name, answer.json.resources]).toEqual([
    0,
    null,
    'n',
    { ram: 5 },
  ]);
  expect(answer.json.problems).toEqual([
    expect.objectContaining({ code: 'checkpoint-missing', severity: 'warning' }),
  ]);
  expect(thermos(['inspect', '--root', root, 't']).stdout).toContain('  p:\n    a\n    b\n');
});

test('a task file nested too deeply to print is a problem, not the end', () => {
  const deep = `{"processes":[{"name":"p"}],"x":${'['.repeat(200_000)}${']'.repeat(200_000)}}`;
  writeTask(root, 't', { task: deep, runner: new Records().status('ACTIVE').process('p', ...RAN) });
  const answer = json('inspect', ['--root', root, 't']);
  expect([answer.status, answer.json.task, answer.json.processes[0].state]).toEqual([5, null, 'SUCCESS']);
  expect(answer.json.problems).toEqual([expect.objectContaining({ code: 'task-file-damaged' })]);
});

test('a task with tens of thousands of processes takes no long time', () => {
  const names = Array.from({ length: 30_000 }, (_, i) => `p${i}`);
  const constraints = names.map((name) => ({ order: [name, 'end'] }));
  writeTask(root, 't', { task: { processes: [...names, 'end'].map((name) => ({ name })), constraints } });
  // Quadratic, each of these took minutes.
  expect(json('inspect', ['--root', root, 't']).json.ordering.at(-1).after).toHaveLength(30_000);
  expect(thermos(['inspect', '--root', root, 't']).stdout).toContain('└─ end WAITING also after p0, p1, ');
});

test('the critical path of a task, in the document and below the processes', () => {
  const words = ['--mesos-root', MESOS, 'www-data-devel-etl-3'];
  const { critical_path } = json('inspect', words).json;
  expect(critical_path).toEqual({
    duration_ms: 4338,
    steps: [
      { process: 'extract', runs: 1, wait_ms: 235, run_ms: 49, between_ms: 0 },
      { process: 'load', runs: 2, wait_ms: 996, run_ms: 127, between_ms: 924 },
      { process: 'report', runs: 1, wait_ms: 1000, run_ms: 112, between_ms: 0 },
    ],
    rest_ms: 895,
  });
  expect(thermos(['inspect', ...words]).stdout).toContain('Critical path: 4.34s, 2.23s of it');
});

describe('--graph', () => {
  const graph = (format: string, ...words: string[]) => thermos(['inspect', ...words, '--graph', format]);

  test('on a pipe, a task and a config', () => {
    writeTask(root, 't', {
      phase: 'finished',
      task: {
        processes: [{ name: 'a "b"' }, { name: 'c' }],
        constraints: [{ order: ['a "b"', 'c'] }, { order: ['gone', 'c'] }],
      },
      runner: new Records()
        .status('ACTIVE')
        .header({})
        .process('a "b"', ...RAN)
        .status('SUCCESS'),
    });
    expect(graph('text', '--root', root, 't')).toMatchObject({
      stdout: 'a "b" SUCCESS\ngone (missing)\n└─ c WAITING also after a "b"\n',
      stderr: '',
      status: 0,
    });
    expect(graph('mermaid', '--root', root, 't').stdout).toContain('p0["a #34;b#34;<br/>SUCCESS"]\n');
    expect(graph('dot', '--root', root, 't').stdout).toContain('p0 [label="a \\"b\\"\\nSUCCESS"');

    const config = join(temp.path, 'x.json');
    writeFileSync(
      config,
      JSON.stringify({
        name: 'x',
        processes: [
          { name: 'a', cmdline: 'a' },
          { name: 'b', cmdline: 'b' },
        ],
        constraints: [{ order: ['a', 'b'] }],
      }),
    );
    const drawn = graph('dot', config);
    expect(drawn.stdout).toContain('  p0 -> p1\n}\n');
    expect(drawn.status).toBe(0);
  });

  test('not with --json, which has the ordering anyway', () => {
    const { status, stdout } = graph('dot', '--root', HOST, 'host-bad', '--json');
    expect(status).toBe(2);
    expect(JSON.parse(stdout).error.message).toBe('--graph and --json cannot be used together');
  });
});
