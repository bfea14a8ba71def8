import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { violations } from '../contracts/validate.js';
import { FIXTURES, type RunOptions, shell, tempDir, thermos } from './harness.js';

const CONFIGS = join(FIXTURES, 'config');

let dir: ReturnType<typeof tempDir>;
beforeAll(() => {
  dir = tempDir();
});
afterAll(() => dir.remove());

function write(name: string, content: string): string {
  writeFileSync(join(dir.path, name), content);
  return name;
}

function run(args: string[], options: RunOptions = {}) {
  const { stdout, stderr, status } = thermos(args, { cwd: dir.path, ...options });
  expect(stderr).not.toMatch(/Traceback|^\s+at .*:\d+:\d+/m);
  return { stdout, stderr, status };
}

function json(args: string[], options: RunOptions = {}) {
  const { stdout, stderr, status } = run([...args, '--json'], options);
  expect(stdout).toMatch(/^\{.*\}\n$/);
  return { document: JSON.parse(stdout), stderr, status };
}

describe('inspect of a config', () => {
  test('shows the task to people', () => {
    const config = `
fetch = Process(name='fetch', cmdline='curl {{url}} > data', max_failures=3)
serve = Process(name='serve', cmdline='''
cat data
exec serve --port {{thermos.ports[http]}}''', daemon=True)
export(SequentialTask(name='web', processes=[fetch, serve],
                      resources=Resources(cpu=0.5, ram=256*MB, disk=1*GB)).bind(url='http://x'))
`;
    const { stdout, stderr, status } = run(['inspect', write('web.thermos', config)]);
    expect({ stdout, stderr, status }).toEqual({
      stdout: `Task:       web
File:       web.thermos
Ports:      http (unbound)
Resources:  cpu 0.5, ram 256MiB, disk 1GiB
Limits:     max_failures 1, max_concurrency unlimited, finalization_wait 30s

PROCESSES
  PROCESS  MAX-FAILURES  MIN-DURATION  LOGS  KIND
  fetch               3            5s  file  -
  serve               1            5s  file  daemon

ORDERING
  fetch
  └─ serve (daemon)

COMMANDS
  fetch: curl http://x > data
  serve:
    
    cat data
    exec serve --port {{thermos.ports[http]}}
`,
      stderr: '',
      status: 0,
    });
  });

  test('prints a document that its schema knows', () => {
    const names = ['all_process_fields.thermos', 'json_task.json', 'aurora_hello_service.aurora'];
    for (const name of [...names, 'export_process_by_mistake.thermos', 'unbound_reference.thermos']) {
      const { document } = json(['inspect', name], { cwd: CONFIGS });
      expect([name, ...violations('inspect-config', document)]).toEqual([name]);
    }
  });

  test('exits with 1 if no run would take the task, and shows it', () => {
    const { document, stderr, status } = json(['inspect', 'cycle_two_inspect.thermos'], { cwd: CONFIGS });
    expect(status).toBe(1);
    expect(document.task.name).toBe('cyc');
    expect(document.lint).toMatchObject([{ code: 'plan-invalid', severity: 'error' }]);
    expect(stderr).toBe(`error: ${document.lint[0].message}\n`);
  });

  test('takes bindings with = in them, and leaves warnings at 0', () => {
    const config = write('e.thermos', "export(SimpleTask('e', 'echo {{x}} {{y[z]}}'))");
    const args = ['inspect', config, '-E', 'x=a=b', '--environment', 'y[z]=', '-P', 'spare:80'];
    const { document, status } = json(args);
    expect(status).toBe(0);
    expect(document.task.processes[0].cmdline).toBe('echo a=b ');
    expect(document.lint).toMatchObject([{ code: 'port-unused', severity: 'warning' }]);
  });

  test('chooses among tasks and jobs', () => {
    const tasks = write('two.thermos', "for n in 'ab': export(SimpleTask(n, 'true'))");
    expect(json(['inspect', tasks]).document.error.code).toBe('task-not-chosen');
    expect(json(['inspect', tasks, '--task', 'b']).document.task.name).toBe('b');
    expect(json(['inspect', tasks, '--task', 'c'])).toMatchObject({
      document: { error: { code: 'task-not-found' } },
      status: 2,
    });
    const jobs = ['inspect', join(CONFIGS, 'aurora_profiles.aurora')];
    expect(json([...jobs, '--job', 'app']).document.error.code).toBe('job-not-chosen');
    const { document } = json([...jobs, '--job', 'test/app', '--instance', '2']);
    expect(document.task.processes[0].cmdline).toBe('fetch app-latest.zip');
  });

  test('is not taken for a task of the same name', () => {
    const host = join(FIXTURES, 'host');
    const { document } = json(['status', '--root', join(host, 'root')]);
    const id = document.tasks[0].task_id;
    write(id, "export(SimpleTask('config', 'true'))");
    expect(json(['inspect', id, '--root', join(host, 'root')]).document.task_id).toBe(id);
    expect(json(['inspect', `./${id}`]).document.task.name).toBe('config');
  });
});

describe('bad input is told in a line, with exit 2:', () => {
  test.each<[string, string | undefined, RegExp]>([
    ['missing.thermos', undefined, /no file missing\.thermos/],
    ['binary.thermos', '\u0000', /binary/],
    ['syntax.thermos', 'export(Task(', /syntax\.thermos, line 1/],
    ['raises.thermos', '\nraise ValueError("no\\tway")', /raises\.thermos, line 2.*no/],
    ['name.thermos', 'x = unknown_name', /line 1.*unknown_name/],
    ['recursion.thermos', 'def f(): f()\nf()', /recursion\.thermos/],
    ['itself.thermos', "include('itself.thermos')", /itself\.thermos/],
    ['includes.thermos', "include('not-there.thermos')", /not-there\.thermos/],
    ['types.thermos', 'export(Task(processes=5))', /types\.thermos.*ProcessList/],
    ['values.thermos', "export(Task(name='x', processes=[Process(name='p', cmdline=None)]))", /'p': cmdline/],
    [
      'blanks.thermos',
      "export(SimpleTask('p', 'echo {{ profile.x }}'))",
      /'p': cmdline: \{\{ profile\.x \}\} has blanks/,
    ],
    ['none.thermos', 'pass', /none\.thermos has no task/],
    ['cut.json', '{"processes": [{"name": "p", "cmdl', /cut\.json, line 1.*cut off/],
    ['print.thermos', 'print "x" if', /print\.thermos, line 1/],
  ])('%s', (name, content, message) => {
    if (content !== undefined) write(name, content);
    // One of each phase: what `run` evaluates it evaluates as `inspect` does.
    const dryRun = ['syntax', 'types', 'blanks', 'none', 'cut'].includes(name.replace(/\.\w+$/, ''));
    for (const command of [['inspect', name], ...(dryRun ? [['run', '--dry-run', name]] : [])]) {
      const { stdout, stderr, status } = run(command);
      expect({ stdout, status }).toEqual({ stdout: '', status: 2 });
      expect(stderr).toMatch(message);
      expect(stderr).toMatch(/^error: /m);
    }
  });

  test('a directory, bad ports, bad bindings', () => {
    const config = write('ok.thermos', "export(SimpleTask('p', 'true'))");
    for (const args of [
      ['.'],
      [config, '-P', 'http'],
      [config, '-P', 'http:99999'],
      [config, '-E', 'x'],
      [config, '-E', `x${'.a'.repeat(500)}=1`],
    ]) {
      expect(run(['run', '--dry-run', ...args]).status).toBe(2);
    }
  });
});

describe('a config that is no file', () => {
  test('may be a pipe; one that nobody writes to and a device without end are refused', () => {
    const config = write('piped.json', '{"name": "piped", "processes": []}');
    const piped = shell(`thermos inspect <(sleep 0.1; cat ${config}) --json`, { cwd: dir.path });
    expect(JSON.parse(piped.stdout).task.name).toBe('piped');
    execFileSync('mkfifo', [join(dir.path, 'fifo')]);
    expect(run(['inspect', './fifo'])).toMatchObject({
      stderr: expect.stringMatching(/nobody writes/),
      status: 2,
    });
    expect(run(['inspect', '/dev/zero'])).toMatchObject({
      stderr: expect.stringMatching(/too many/),
      status: 2,
    });
  });
});

describe('a config beyond a limit is told in a line, with exit 2:', () => {
  const DOUBLING = `
b = dict(('a%d' % i, '{{a%d}}{{a%d}}' % (i + 1, i + 1)) for i in range(LEVELS))
b['aLEVELS'] = 'x'
export(Task(name='d', processes=[Process(name='p%d' % i, cmdline='{{a0}}') for i in range(1000)]).bind(b))`;
  const processes = (count: number) =>
    Array.from({ length: count }, (_, i) => ({ name: `p${i}`, cmdline: `echo ${i}` }));

  test.each<[string, () => string, RegExp]>([
    [
      'value.thermos',
      () => DOUBLING.replaceAll('LEVELS', '40').replace('1000', '3'),
      /characters of a value/,
    ],
    [
      'processes.json',
      () => JSON.stringify({ name: 'j', processes: processes(30_000) }),
      /processes\.json: 30,000 processes of a task are too many: at most 20,000 are allowed/,
    ],
    ['nested.json', () => `{"name": ${'['.repeat(1_000_000)}`, /nested/],
    ['text.json', () => `{"name": "${'x'.repeat(20_000_000)}"}`, /20,000,\d+ bytes of a config are too many/],
    ['list.json', () => `{"name": [${'0,'.repeat(2_000_000)}0]}`, /values in a JSON config/],
    [
      'address.json',
      () => `{"processes": [{"logger": {"destination": "{{a${'.a'.repeat(500)}}}"}}]}`,
      /parts of a reference/,
    ],
    ['digits.json', () => `{"name": ${'9'.repeat(1_000_000)}}`, /digits of an integer/],
    [
      'forged.thermos',
      () => "import os\nos.write(os.open('/dev/thermos', 2), b'new\\n{')",
      /wrote something to \/dev\/thermos/,
    ],
    ['spoiled.thermos', () => "import json\njson.dumps = lambda *a: '}'", /has changed the modules/],
    ['words.thermos', () => "raise ValueError('x' * 10 ** 7)", /line 1: xxx/],
  ])('%s', (name, content, message) => {
    write(name, content());
    // As above.
    const dryRun = ['processes.json', 'forged.thermos'].includes(name);
    for (const command of [['inspect', `./${name}`], ...(dryRun ? [['run', '--dry-run', name]] : [])]) {
      const { stdout, stderr, status } = run(command);
      expect({ stdout, status }).toEqual({ stdout: '', status: 2 });
      expect(stderr).toMatch(message);
      expect(stderr.length).toBeLessThan(100_000);
    }
  });

  test('a large one below it is evaluated, and shown in proportion to its size', () => {
    const all = processes(10_000);
    const constraints = [{ order: all.map(({ name }) => name) }];
    write('large.json', JSON.stringify({ name: 'large', processes: all, constraints }));
    const { stdout, status } = run(['inspect', './large.json']);
    expect(status).toBe(0);
    expect(stdout).toContain('└─ p9999\n');
    expect(stdout.length).toBeLessThan(5_000_000);
    write(
      'large.thermos',
      "export(SequentialTask(name='l', processes=[Process(name='p%d' % i, cmdline='echo {{x}}') for i in range(2000)]).bind(x=1))",
    );
    expect(json(['inspect', 'large.thermos']).document.task.processes[1999].cmdline).toBe('echo 1');
  });
});

describe('what a config prints', () => {
  test('goes to stderr with its control characters shown, also if the config fails', () => {
    write(
      'prints.thermos',
      "import sys\nprint('\\x1b[31mred\\u202e\\tx')\nsys.stderr.write('no end')\nexport(SimpleTask('p', 'true'))",
    );
    const { stderr, status } = json(['inspect', 'prints.thermos']);
    expect({ stderr, status }).toEqual({ stderr: '\\e[31mred\\u{202e}\tx\nno end\n', status: 0 });
    write('prints-fails.thermos', "import sys\nsys.stderr.write('no end')\nraise ValueError('no')");
    expect(run(['inspect', './prints-fails.thermos']).stderr).toBe(
      'no end\nerror: ./prints-fails.thermos, line 3: no\n',
    );
  });

  test('is cut off where it is too much', () => {
    write('floods.thermos', "for i in range(300): print('x' * 10 ** 6)\nexport(SimpleTask('p', 'true'))");
    const { stderr, status } = json(['inspect', 'floods.thermos']);
    expect(status).toBe(0);
    expect(stderr).toMatch(/^x{65536}\n… and 299,934,764 more bytes, which are left out\n$/);
  });
});

describe('run --dry-run', () => {
  test('gives the command lines that bash would get', () => {
    const args = ['run', 'ports_run.thermos', '--dry-run', '-P', 'http:31080', '-P', 'admin-ui:31081'];
    const { document, status } = json([...args, '--task-id', 'T', '--user', 'nobody'], { cwd: CONFIGS });
    expect(status).toBe(0);
    expect(violations('dry-run', document)).toEqual([]);
    expect(document).toMatchObject({ task_id: 'T', user: 'nobody', ports: { http: 31080 } });
    const cmdlines = document.task.processes.map(({ cmdline }: { cmdline: string }) => cmdline);
    expect(cmdlines).toEqual(['serve -p 31080 -a 31081', 'serve -p 31080 -a 31081']);
  });

  test('names the ports that are missing', () => {
    const { document, status } = json(['run', 'ports_run.thermos', '--dry-run'], { cwd: CONFIGS });
    expect(status).toBe(2);
    const problems = document.error.problems.map(({ message }: { message: string }) => message);
    expect(problems).toEqual([
      "ports_run.thermos: the task needs the port 'admin-ui'",
      "ports_run.thermos: the task needs the port 'http'",
    ]);
    expect(violations('error', document)).toEqual([]);
  });
});
