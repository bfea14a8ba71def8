import {
  chmodSync,
  copyFileSync,
  linkSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { type AgainOptions, taskAgain } from '../../src/app/again.js';
import { localTasks } from '../../src/app/local-tasks.js';
import { ThermosError } from '../../src/errors/errors.js';
import { placeForEach } from '../e2e/harness.js';
import { Records, type TaskFiles, writeTask } from '../task/trees.js';

const place = placeForEach();
const NOW = Date.UTC(2026, 10, 27, 12);
const ME = userInfo();
const AS_ROOT = process.getuid?.() === 0;

const processes = ['a', 'b'].map((name) => ({ name, cmdline: `echo ${name}` }));
const TASK = { name: 'web', processes, constraints: [{ order: ['a', 'b'] }], extra: [1] };
const headed = (header: object = {}) =>
  new Records().status('ACTIVE').header({ task_id: 'web-1', user: ME.username, uid: ME.uid, ...header });

function plant(files: TaskFiles = {}, id = 'web-1', root = place.root): void {
  writeTask(root, id, { phase: 'finished', task: TASK, runner: headed(), ...files });
}

const again = (word = 'web-1', options: AgainOptions = {}) =>
  taskAgain(word, options, {
    gatherer: localTasks({ root: [place.root], 'mesos-root': [join(place.path, 'mesos')] }),
    now: NOW,
    euid: ME.uid,
  });

/** CODE EXIT: MESSAGE */
async function failure(answer: Promise<unknown>): Promise<string> {
  try {
    await answer;
  } catch (error) {
    if (error instanceof ThermosError) return `${error.code} ${error.exitCode}: ${error.message}`;
    throw error;
  }
  throw new Error('it did not fail');
}

beforeEach(() => mkdirSync(join(place.path, 'mesos'), { recursive: true }));

describe('a task that is run again', () => {
  test('has all fields of the task file, the ports of the header, and an id of its name and the time', async () => {
    plant({ runner: headed({ ports: { http: 8080n, admin: 70_000n } }) });
    const { prepared, user, of } = await again('web');
    expect(of).toBe('web-1');
    expect(user).toBe(AS_ROOT ? ME.username : undefined);
    expect(prepared).toMatchObject({
      path: join(place.root, 'tasks/finished/web-1'),
      user: ME.username,
      ports: { http: 8080 },
      problems: [],
      document: { name: 'web', extra: [1], constraints: [{ order: ['a', 'b'] }] },
    });
    expect(prepared.taskId).toMatch(/^web-2026112\d-\d{6}\.000000$/);
  });

  test('has the given id and the chosen processes', async () => {
    plant();
    const selection = { kind: 'from', words: ['b'] } as const;
    const { prepared } = await again('web-1', { taskId: 'new', selection });
    expect(prepared.taskId).toBe('new');
    expect(prepared.document.processes).toEqual([expect.objectContaining({ name: 'b' })]);
    expect(prepared.document.constraints).toEqual([]);
  });

  test('may be active, and then its ports are reported', async () => {
    plant({ phase: 'active', runner: headed({ ports: { http: 8080n } }) });
    const { prepared } = await again();
    expect(prepared.problems).toEqual([
      {
        code: 'run-again',
        severity: 'warning',
        message: 'task web-1 is still active, and has the same ports: http 8080',
        task_id: 'web-1',
      },
    ]);
  });

  test('is reported to have its old id in command lines, unless that may be any word', async () => {
    const task = { processes: [{ name: 'a', cmdline: 'cat /sandboxes/etl-one/x web-1' }] };
    plant({ task });
    expect((await again()).prepared.problems).toEqual([]);
    plant({ task }, 'etl-one');
    const { problems, taskId } = (await again('etl-one')).prepared;
    expect(problems.map(({ message }) => message)).toEqual(['command lines have the id etl-one in them: a']);
    // Without a name, a task is called as its first process.
    expect(taskId).toMatch(/^a-/);
  });

  test('has no ports if it has no header', async () => {
    plant({ runner: null });
    const { prepared } = await again('web-1', { user: ME.username });
    expect(prepared.ports).toEqual({});
    expect(prepared.problems.map(({ message }) => message)).toEqual([
      'task web-1 has no header, so its ports are not known',
    ]);
  });

  test('is found after its file moved to the finished ones', async () => {
    plant({ phase: 'active' });
    const gatherer = localTasks({ root: [place.root] });
    const find: typeof gatherer.find = async (words, mode) => {
      const found = await gatherer.find(words, mode);
      renameSync(join(place.root, 'tasks/active/web-1'), join(place.root, 'tasks/finished/web-1'));
      return found;
    };
    const { prepared } = await taskAgain('web-1', {}, { gatherer: { find }, now: NOW, euid: ME.uid });
    expect(prepared.path).toBe(join(place.root, 'tasks/finished/web-1'));
  });
});

describe('refused is', () => {
  test.each<[string, TaskFiles['task'], string]>([
    ['missing', null, 'task-file-missing 2: task web-1 has no task file, which says what it ran'],
    ['cut off', '{"name":', 'task-file-damaged 2: the task file FILE is not valid JSON'],
    ['a list', '[]', 'task-file-damaged 2: the task file FILE cannot be run: the task is not an object'],
    ['null', 'null', 'task-file-damaged 2: the task file FILE cannot be run: the task is not an object'],
    [
      'without processes',
      { processes: [] },
      'task-file-damaged 2: the task file FILE cannot be run: the task has no processes',
    ],
    [
      'a cycle',
      { ...TASK, constraints: [{ order: ['a', 'b', 'a'] }] },
      'task-file-damaged 2: the task file FILE cannot be run: processes wait for each other: a, b, a',
    ],
    [
      'a path for a name',
      { processes: [{ name: '../a', cmdline: '' }] },
      'task-file-damaged 2: the task file FILE cannot be run: "../a" cannot be the name of a process, because it also names a directory',
    ],
    [
      'too deep',
      `${'['.repeat(5000)}${']'.repeat(5000)}`,
      'task-file-damaged 2: the task file FILE is nested too deeply',
    ],
  ])('a task file that is %s', async (_, task, message) => {
    plant({ task });
    const said = await failure(again('web-1'));
    expect(said.replace(join(place.root, 'tasks/finished/web-1'), 'FILE')).toBe(message);
  });

  test('a task that is not there, and a word that means several', async () => {
    plant();
    plant({}, 'web-2');
    expect(await failure(again('x'))).toMatch(/^task-not-found 2: no task matches 'x' in /);
    expect(await failure(again('web'))).toBe("ambiguous-task 2: 'web' matches 2 tasks");
  });

  test('its own id, an unknown process, and an unknown user', async () => {
    plant();
    expect(await failure(again('web', { taskId: 'web-1' }))).toBe(
      'usage 2: web-1 is the id of the task that is run again: choose another',
    );
    expect(await failure(again('web', { selection: { kind: 'only', words: ['x'] } }))).toBe(
      "process-not-found 2: task web-1 has no process 'x'",
    );
    expect(await failure(again('web', { user: 'no-such-user' }))).toBe(
      'user-unknown 2: there is no user no-such-user on this machine',
    );
  });

  test('a choice that would need too many constraints', async () => {
    const many = (prefix: string) => Array.from({ length: 300 }, (_, i) => `${prefix}${i}`);
    const names = [...many('a'), 'hub', ...many('z')];
    const task = {
      processes: names.map((name) => ({ name, cmdline: 'true' })),
      constraints: [
        ...many('a').map((a) => ({ order: [a, 'hub'] })),
        ...many('z').map((z) => ({ order: ['hub', z] })),
      ],
    };
    plant({ task });
    const words = names.filter((name) => name !== 'hub');
    expect(await failure(again('web-1', { selection: { kind: 'only', words } }))).toMatch(
      /^config-limit 2: task web-1: [\d,]+ constraints of a task are too many/,
    );
  });

  test('an id that is in two roots, unless its path is given', async () => {
    plant();
    const other = join(place.path, 'mesos/slaves/S0/frameworks/F/executors/E/runs/C/checkpoints');
    plant({}, 'web-1', other);
    expect(await failure(again())).toBe('ambiguous-task 2: task web-1 is in 2 roots');
    expect((await again(join(place.root, 'tasks/finished/web-1'))).of).toBe('web-1');
    const inSandbox = again(join(other, 'tasks/finished/web-1'));
    if (AS_ROOT)
      expect(await failure(inSandbox)).toMatch(/^task-untrusted 2: task web-1 is in the sandbox of/);
    else expect((await inSandbox).prepared.problems).toHaveLength(1);
  });

  test.runIf(AS_ROOT)('for root, a task of which nothing says whose it is', async () => {
    plant({ runner: new Records().status('ACTIVE') });
    expect(await failure(again())).toBe('user-unknown 2: nothing says which user task web-1 ran as');
    plant({ runner: headed({ user: 'no-such-user', uid: undefined }) });
    expect(await failure(again())).toBe('user-unknown 2: there is no user no-such-user on this machine');
    expect((await again('web-1', { user: 'root' })).user).toBe('root');
  });
});

describe('files that somebody else could have written', () => {
  beforeEach(() => plant());

  test.each([
    'tasks/finished/web-1',
    'tasks/finished',
    'tasks',
    'checkpoints/web-1/runner',
    'checkpoints/web-1',
    '.',
  ])('are not run if %s can be written by others', async (name) => {
    chmodSync(join(place.root, name), 0o777);
    expect(await failure(again())).toMatch(
      /^task-untrusted 2: task web-1 is not run again as \S+, because somebody else may have written its files: \S+ can be written by everybody$/,
    );
  });

  test('are not run if one has another name', async () => {
    linkSync(join(place.root, 'tasks/finished/web-1'), join(place.path, 'second'));
    expect(await failure(again())).toMatch(/^task-untrusted 2: .* has 2 names \(hard links\)$/);
  });

  test('are not read through links', async () => {
    for (const name of ['tasks/finished/web-1', 'checkpoints/web-1/runner']) {
      const path = join(place.root, name);
      copyFileSync(path, join(place.path, 'copy'));
      rmSync(path);
      symlinkSync(join(place.path, 'copy'), path);
      expect(await failure(again())).toMatch(/^(task-file|checkpoint)-unreadable 2: .* is not read: /);
      rmSync(path);
      copyFileSync(join(place.path, 'copy'), path);
      expect((await again()).of).toBe('web-1');
    }
  });

  test('are not read if they are longer than a task file', async () => {
    writeFileSync(join(place.root, 'tasks/finished/web-1'), Buffer.alloc(17 * 1024 * 1024, ' '));
    expect(await failure(again())).toMatch(/^task-file-unreadable 2: the task file is not read: /);
  });
});
