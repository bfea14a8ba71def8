import {
  chownSync,
  cpSync,
  existsSync,
  lchownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Records, writeTask } from '../task/trees.js';
import { FIXTURES, runToEnd, thermos } from './harness.js';
import { RunPlace } from './run-task.js';
import { expectContract } from './tasks.js';

const AS_ROOT = process.getuid?.() === 0;
const NOBODY = 65_534;

let place: RunPlace;
beforeEach(() => {
  place = new RunPlace();
});
afterEach(() => place.remove());

const taskFile = (id: string, phase = 'finished') =>
  JSON.parse(readFileSync(join(place.root, 'tasks', phase, id), 'utf8'));

/** The sound answer of a run with --json. */
// biome-ignore lint/suspicious/noExplicitAny: a document, looked into
function documentOf({ stdout, stderr, status }: ReturnType<typeof thermos>): any {
  expect({ status, stderr }).toEqual({ status: 0, stderr });
  const document = JSON.parse(stdout);
  expectContract('inspect', document);
  return document;
}

function chownAll(path: string, uid: number): void {
  lchownSync(path, uid, uid);
  for (const name of readdirSync(path, { recursive: true }) as string[]) {
    lchownSync(join(path, name), uid, uid);
  }
}

/** A copy of a fixture that belongs to us, whoever owns the repository. */
function copied(fixture: string): string {
  const to = join(place.path, 'copied');
  cpSync(join(FIXTURES, fixture), to, { recursive: true, verbatimSymlinks: true });
  runToEnd('chmod', ['-R', 'u+rwX,go=rX', to]);
  return to;
}

describe('run --again', () => {
  const web = () =>
    place.config([
      { name: 'serve', cmdline: 'echo port {{thermos.ports[http]}}, {{greeting}}; echo x >> count' },
    ]);

  test('runs what a finished task ran, with its values and ports, under a new id in a new sandbox', () => {
    place.thermos('run', '--task-id', 'web-1', '-P', 'http:8080', '-E', 'greeting=hello', web());
    const { stderr, ...answer } = place.thermos('run', '--json', '--again', 'web-1');
    const document = documentOf({ ...answer, stderr });
    const { task_id } = document;
    expect(task_id).toMatch(/^web-\d{8}-\d{6}\.\d{6}$/);
    expect(stderr).toBe(`running web-1 again as ${task_id}, with its ports: http 8080\n`);
    expect(document).toMatchObject({
      state: 'SUCCESS',
      name: 'web',
      ports: { http: 8080 },
      sandbox: place.sandbox(task_id),
      problems: [],
    });
    const { stdout } = place.thermos('tail', '--no-follow', '--stdout', task_id);
    expect(stdout).toBe('port 8080, hello\n');
    expect(taskFile(task_id)).toEqual(taskFile('web-1'));
    expect([place.file('web-1', 'count'), place.file(task_id, 'count')]).toEqual(['x\n', 'x\n']);
  });

  test('finds the task as inspect does, and takes the flags of run', () => {
    place.thermos('run', '--task-id', 'web-1', '-P', 'http:8080', '-E', 'greeting=hello', web());
    const sandbox = join(place.path, 'other');
    const { stdout, stderr, status } = place.thermos(
      ...['run', '--again', 'eb-1', '--daemon', '--task-id', 'two', '--sandbox', sandbox],
    );
    expect({ stdout, stderr, status }).toEqual({
      stdout: 'two\n',
      stderr: 'running web-1 again as two, with its ports: http 8080\n',
      status: 0,
    });
    expect(place.thermos('wait', 'two').status).toBe(0);
    expect(readFileSync(join(sandbox, 'count'), 'utf8')).toBe('x\n');
    // The task file itself is a name, too.
    const file = join(place.root, 'tasks/finished/web-1');
    const shown = place.thermos('run', '--dry-run', '--json', '--again', file, '--task-id', 'three');
    expectContract('dry-run', JSON.parse(shown.stdout));
    expect(JSON.parse(shown.stdout)).toMatchObject({ task_id: 'three', ports: { http: 8080 } });
    expect(shown.status).toBe(0);
    expect(existsSync(join(place.root, 'tasks/active/three'))).toBe(false);
  });

  test('runs a task that is active a second time, and warns of its ports', async () => {
    const config = place.config([{ name: 'serve', cmdline: 'echo $$ > pid; exec sleep 1000' }]);
    place.thermos('run', '--daemon', '--task-id', 'web-1', '-P', 'http:8080', config);
    const { stderr, status } = place.thermos('run', '--daemon', '--again', 'web-1', '--task-id', 'web-2');
    expect(stderr).toContain('warning: task web-1 is still active, and has the same ports: http 8080\n');
    expect(status).toBe(0);
    const active = place.thermos('status', '--quiet', '--only', 'active').stdout.trim().split('\n').sort();
    expect(active).toEqual(['web-1', 'web-2']);
  });

  test('does not fill in anything a second time', () => {
    const echo = { name: 'a', cmdline: "echo '{{&&&&&web}} {{thermos.task_id}}'" };
    place.thermos('run', '--task-id', 'first-id', place.config([echo]));
    const { stdout, stderr } = place.thermos('run', '--again', 'first-id');
    expect(stdout).toContain('a 0 stdout | {{web}} first-id\n');
    expect(stderr).toContain('warning: command lines have the id first-id in them: a\n');
  });

  test('runs some of the processes', () => {
    const config = place.config(
      ['a', 'b', 'c'].map((name) => ({ name, cmdline: `echo ${name}` })),
      { constraints: [{ order: ['a', 'b', 'c'] }] },
    );
    place.thermos('run', '--task-id', 'web-1', config);
    documentOf(place.thermos('run', '--json', '--again', 'web-1', '--only', 'a,c', '--task-id', 'ac'));
    documentOf(place.thermos('run', '--json', '--again', 'web-1', '--from', 'b', '--task-id', 'bc'));
    const kept = (id: string) => {
      const { processes, constraints } = taskFile(id);
      return [processes.map(({ name }: { name: string }) => name), constraints];
    };
    expect(kept('ac')).toEqual([['a', 'c'], [{ order: ['a', 'c'] }]]);
    expect(kept('bc')).toEqual([['b', 'c'], [{ order: ['b', 'c'] }]]);
    const { stderr, status } = place.thermos('run', '--again', 'web-1', '--only', 'x');
    expect(stderr).toBe("error: task web-1 has no process 'x'\nhint: it has a, b, c\n");
    expect(status).toBe(2);
  });
});

describe('run --again of what the original left', () => {
  test('on a bare host', () => {
    const root = copied('host/root');
    const file = join(root, 'tasks/finished/host-ok-2');
    const env = { THERMOS_ROOT: place.root };
    const { stdout, stderr, status } = thermos(['run', '--again', file], { env });
    expect({ stderr, status }).toEqual({ stderr, status: 0 });
    expect(stdout).toMatch(/^a 0 stdout \| a\nb 0 stdout \| b\n/);
    const me = userInfo().username;
    const differs = `warning: task host-ok-2 ran as root, and now runs as ${me}\n`;
    expect(stderr.includes(differs)).toBe(me !== 'root');
    // It runs where any task runs.
    expect(readdirSync(join(place.root, 'tasks/finished'))).toHaveLength(1);
  });

  describe('in the sandbox of an executor', () => {
    const again = (uid?: number) => {
      const mesos = copied('mesos');
      if (uid !== undefined) {
        chownAll(mesos, uid);
        chownAll(place.root, uid);
      }
      return thermos(
        [
          'run',
          '--root',
          place.root,
          '--mesos-root',
          mesos,
          '--again',
          'www-data-devel-etl-3',
          '--only',
          'report',
        ],
        { uid },
      );
    };

    test('as its user, in a root of ours, and says what the task file has not', () => {
      const { stdout, stderr, status } = again(AS_ROOT ? NOBODY : undefined);
      expect({ stderr, status }).toEqual({ stderr, status: 0 });
      expect(stdout).toMatch(/^report 0 stdout \| r\n/);
      expect(stderr).toMatch(/^warning: task www-data-devel-etl-3-\S+ ran below a Mesos agent, and /m);
    });

    test.runIf(AS_ROOT)('not as root: nothing but the sandbox says what to run', () => {
      const { stdout, stderr, status } = again();
      expect({ stdout, status }).toEqual({ stdout: '', status: 2 });
      expect(stderr).toMatch(/^error: task \S+ is in the sandbox of an executor, /);
      expect(stderr).toMatch(/^hint: .*: cp \S+ task\.json; thermos run task\.json --user USER$/m);
    });
  });
});

describe('run --again believes only files that root and who runs them could have written', () => {
  const made = () => place.file('web-1', 'made');

  beforeEach(() => {
    place.thermos(
      'run',
      '--task-id',
      'web-1',
      place.config([{ name: 'a', cmdline: 'echo x >> made; id -u' }]),
    );
    expect(made()).toBe('x\n');
  });

  const again = (...words: string[]) => place.thermos('run', '--again', 'web-1', ...words);
  const refused = (words: string[], what: RegExp) => {
    const { stdout, stderr, status } = again(...words);
    expect({ stdout, status }).toEqual({ stdout: '', status: 2 });
    expect(stderr).toMatch(
      /^error: task web-1 is not run again as \S+, because somebody else may have written/,
    );
    expect(stderr).toMatch(what);
    expect(stderr).toMatch(
      /^hint: if it is right, run a copy of it as a config: cp \S+ task\.json; thermos run /m,
    );
  };

  test('not if others may write them', () => {
    runToEnd('chmod', ['o+w', join(place.root, 'tasks/finished')]);
    refused([], /can be written by everybody/);
  });

  test.runIf(AS_ROOT)('of another user, neither root nor a third one runs them', () => {
    for (const path of ['tasks/finished/web-1', 'checkpoints/web-1/runner']) {
      chownSync(join(place.root, path), NOBODY, NOBODY);
    }
    // The header says root.
    refused([], /belongs to uid 65534/);
    refused(['--user', 'daemon'], /belongs to uid 65534/);
    expect(again('--user', 'nobody').stdout).toContain('a 0 stdout | 65534\n');
  });

  test.runIf(AS_ROOT)('and root runs them as the user of the task, others as themselves', () => {
    place.thermos(
      'run',
      '--user',
      'nobody',
      '--task-id',
      'web-2',
      place.config([{ name: 'a', cmdline: 'id -u' }]),
    );
    expect(place.thermos('run', '--again', 'web-2').stdout).toContain('a 0 stdout | 65534\n');
    const own = join(place.path, 'own');
    mkdirSync(own);
    chownSync(own, 1234, 1234);
    const { stdout, stderr } = thermos(['run', '--again', join(place.root, 'tasks/finished/web-2')], {
      uid: 1234,
      env: { THERMOS_ROOT: join(own, 'root') },
    });
    expect(stdout).toContain('a 0 stdout | 1234\n');
    expect(stderr).toContain('warning: task web-2 ran as nobody, and now runs as 1234\n');
  });
});

describe('run --again refuses', () => {
  const refused = (words: string[], message: string | RegExp) => {
    const { stdout, stderr, status } = place.thermos('run', ...words);
    expect({ stdout, status }).toEqual({ stdout: '', status: 2 });
    expect(stderr).toMatch(message);
  };

  const task = { name: 'web', processes: [{ name: 'a', cmdline: 'true' }] };
  const header = { task_id: 'web-1', user: userInfo().username, uid: process.getuid?.() };
  const plant = (id: string, files: Parameters<typeof writeTask>[2]) =>
    writeTask(place.root, id, {
      phase: 'finished',
      runner: new Records().status('ACTIVE').header(header),
      ...files,
    });

  test('what makes no sense, and tasks that are not there', () => {
    plant('web-1', { task });
    plant('web-2', { task });
    for (const [words, message] of [
      [['--again', 'web-1', 'web.json'], 'CONFIG and --again cannot be used together'],
      [['--again', 'web-1', '-P', 'http:80'], '--again and --port cannot be used together: in the task file'],
      [['--again', 'web-1', '--no-such-flag'], 'usage: thermos run --again TASK [FLAGS]; '],
      [['--again', 'web-1', '--only', 'a', '--from', 'a'], '--only and --from cannot be used together'],
      [['--again', 'nothing'], "no task matches 'nothing'"],
      [['--again', 'web'], "'web' matches 2 tasks"],
      [[], 'missing argument CONFIG'],
    ] as const) {
      refused([...words], message);
    }
  });

  test('an id that is in two roots, and takes its path', () => {
    plant('web-1', { task });
    const other = join(place.path, 'mesos/slaves/S0/frameworks/F/executors/E/runs/C/checkpoints');
    writeTask(other, 'web-1', { phase: 'finished', task });
    refused(['--mesos-root', join(place.path, 'mesos'), '--again', 'web-1'], 'task web-1 is in 2 roots');
    const file = join(place.root, 'tasks/finished/web-1');
    expect(place.thermos('run', '--mesos-root', join(place.path, 'mesos'), '--again', file).status).toBe(0);
  });
});

test('tasks and processes are completed, those of a task and those of a config', () => {
  const config = place.config([
    { name: 'load', cmdline: 'true' },
    { name: 'lint', cmdline: 'true' },
  ]);
  place.thermos('run', '--task-id', 'web-1', config);
  const offered = (...words: string[]) =>
    place
      .thermos('__complete', 'zsh', '--', ...words)
      .stdout.trimEnd()
      .split('\n');
  const root = ['--root', place.root];
  expect(offered('run', ...root, '--again', '')).toEqual(['web-1']);
  expect(offered('run', ...root, '--again', 'web-1', '--only', 'l')).toEqual(['lint', 'load']);
  expect(offered('run', config, '--from', '')).toEqual(['lint', 'load']);
  expect(offered('inspect', config, '--only', 'lo')).toEqual(['load']);
});

describe('run --only', () => {
  test('records the chosen processes, and resumes only with the same choice', async () => {
    const config = place.config(
      [
        { name: 'a', cmdline: 'while ! test -e go; do sleep 0.05; done' },
        { name: 'b', cmdline: 'echo {{unbound}} {{thermos.ports[http]}}' },
        { name: 'c', cmdline: 'echo c >> c' },
        { name: 'f', cmdline: 'touch f', final: true },
      ],
      { constraints: [{ order: ['a', 'b'] }, { order: ['b', 'c'] }] },
    );
    const run = place.start('run', '--task-id', 'web-1', '--only', 'a', '--only', 'c', config);
    await run.until(({ stderr }) => stderr.includes('a, run 0: RUNNING'));
    await run.kill('SIGKILL');
    const { processes, constraints } = taskFile('web-1', 'active');
    expect(processes.map(({ name }: { name: string }) => name)).toEqual(['a', 'c']);
    expect(constraints).toEqual([{ order: ['a', 'c'] }]);

    const other = place.thermos('run', '--task-id', 'web-1', '--only', 'a', config);
    expect(other.stderr).toContain('web-1 is the id of another task');
    expect(other.status).toBe(2);
    writeFileSync(join(place.sandbox('web-1'), 'go'), '');
    expect(place.thermos('run', '--task-id', 'web-1', '--only', 'c,a', config).status).toBe(0);
    expect([place.file('web-1', 'c'), existsSync(join(place.sandbox('web-1'), 'f'))]).toEqual(['c\n', false]);
  });

  test('of a final process runs it alone', () => {
    const config = place.config([
      { name: 'a', cmdline: 'exit 1' },
      { name: 'f', cmdline: 'echo final', final: true },
    ]);
    const { stdout, status } = place.thermos('run', '--only', 'f', config);
    expect(stdout).toMatch(/^f 0 stdout \| final\n/);
    expect(status).toBe(0);
  });
});
