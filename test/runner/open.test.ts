import {
  chmodSync,
  closeSync,
  existsSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CheckpointRecord } from '../../src/checkpoint/records.js';
import { CheckpointWriter } from '../../src/checkpoint/writer.js';
import { SystemError, ThermosError } from '../../src/errors/errors.js';
import { findAccount } from '../../src/host/accounts.js';
import type { NewTask } from '../../src/runner/api.js';
import { type OpenedTask, open, reopen } from '../../src/runner/open.js';
import { openTask, takeOver } from '../../src/runner/runner.js';
import type { RunnableTask } from '../../src/runner/task-document.js';
import { tempDir } from '../e2e/harness.js';
import { writerThat } from './faulty-writer.js';
import { SETTINGS, taskOf } from './harness.js';

let temp: ReturnType<typeof tempDir>;
beforeAll(() => {
  temp = tempDir();
});
afterAll(() => temp.remove());

function newTask(name: string, task: RunnableTask): NewTask {
  const place = join(temp.path, name);
  return { root: join(place, 'root'), taskId: 'task', sandbox: join(place, 'sandbox'), task };
}

const streamOf = ({ root }: NewTask) => join(root, 'checkpoints/task/runner');

describe('opening', () => {
  const task = taskOf([{ name: 'p', cmdline: 'true' }]);
  const codeOf = (open: () => unknown) => {
    try {
      open();
      return 'opened';
    } catch (error) {
      return error instanceof ThermosError ? `${error.code} ${error.exitCode}` : String(error);
    }
  };

  test.each(['', '.', '..', 'a/b', '../a', 'a\0b', 'x'.repeat(256)])('no task has the id %j', (taskId) => {
    expect(codeOf(() => openTask({ ...newTask('ids', task), taskId }, SETTINGS))).toBe('task-id-invalid 2');
  });

  test.each([
    ['user-unknown', { user: 'no-such-user' }],
    ['sandbox-unusable', { sandbox: '/dev/null' }],
    ['sandbox-unusable', { sandbox: '/dev/null/below' }],
    ['root-unwritable', { root: '/dev/null' }],
    [
      'task-invalid',
      { task: taskOf([{ name: 'p', cmdline: '' }], { constraints: [{ order: ['p', 'q'] }] }) },
    ],
    [
      'task-invalid',
      { task: taskOf([{ name: 'p', cmdline: '' }], { constraints: [{ order: ['p', 'p'] }] }) },
    ],
  ])('says %s before anything is there', (code, wrong) => {
    const spec = { ...newTask('wrong', task), ...wrong };
    expect(codeOf(() => openTask(spec, SETTINGS))).toBe(`${code} 2`);
    expect(existsSync(join(temp.path, 'wrong/root/tasks/active/task'))).toBe(false);
  });

  test('a finished task, another task of the same id, one that has a runner', async () => {
    const spec = newTask('taken', task);
    const runner = openTask(spec, SETTINGS);
    expect(codeOf(() => openTask(spec, SETTINGS))).toBe('task-running 2');
    expect(codeOf(() => takeOver(spec, SETTINGS))).toBe('task-running 2');
    runner.close();
    expect((await openTask(spec, SETTINGS).run()).state).toBe('SUCCESS');
    expect(codeOf(() => openTask(spec, SETTINGS))).toBe('task-finished 2');
    expect(codeOf(() => takeOver(spec, SETTINGS))).toBe('task-finished 2');
    expect(codeOf(() => takeOver({ ...spec, taskId: 'none' }, SETTINGS))).toBe('task-not-found 1');
  });

  test('another task of the same id, of which the task file is there', () => {
    const spec = newTask('differs', task);
    mkdirSync(join(spec.root, 'tasks/active'), { recursive: true });
    writeFileSync(join(spec.root, 'tasks/active/task'), JSON.stringify(task.document));
    const other = { ...spec, task: taskOf([{ name: 'p', cmdline: 'false' }]) };
    expect(codeOf(() => openTask(other, SETTINGS))).toBe('task-differs 2');
    expect(existsSync(join(spec.root, 'tasks/active/task'))).toBe(true);
    expect(existsSync(join(spec.root, 'checkpoints/task'))).toBe(false);
  });

  const leftOf = ({ root }: NewTask) =>
    ['checkpoints', 'tasks/active', 'tasks/finished'].flatMap((path) => readdirSync(join(root, path)));

  test('one that is closed before it runs leaves nothing', () => {
    const spec = newTask('closed', task);
    openTask(spec, SETTINGS).close();
    expect(leftOf(spec)).toEqual([]);
  });

  test.each(['before', 'after'])('one that fails %s its first write leaves nothing', async (when) => {
    const spec = newTask(`full-${when}`, task);
    const fail = () => {
      throw new SystemError('checkpoint-write-failed', 'full');
    };
    const writer = writerThat({ [when]: fail });
    await expect(openTask(spec, { ...SETTINGS, writer }).run()).rejects.toThrow('full');
    expect(leftOf(spec)).toEqual([]);
  });

  test('one that was begun by others is left as it was', () => {
    const spec = newTask('begun', task);
    mkdirSync(join(spec.root, 'checkpoints/task'), { recursive: true });
    writeFileSync(streamOf(spec), '');
    openTask(spec, SETTINGS).close();
    expect(leftOf(spec)).toEqual(['task']);
    expect(readFileSync(streamOf(spec), 'utf8')).toBe('');
  });

  test('a damaged stream is not written to', async () => {
    const spec = newTask('damaged', task);
    mkdirSync(join(spec.root, 'checkpoints/task'), { recursive: true });
    writeFileSync(streamOf(spec), Buffer.from('\0\0\0\x04junk and more'));
    expect(codeOf(() => openTask(spec, SETTINGS))).toBe('checkpoint-damaged 5');
    expect(readFileSync(streamOf(spec), 'latin1')).toBe('\0\0\0\x04junk and more');
  });
});

describe('a task that is opened', () => {
  const task = taskOf([{ name: 'p', cmdline: 'true' }]);
  const uid = process.getuid?.() ?? 0;
  const me = findAccount(uid)?.name ?? String(uid);

  /** What `use` says of an opened task, which is then let go of. */
  function opened<T>(make: () => OpenedTask, use: (opened: OpenedTask) => T): T {
    const it = make();
    try {
      return use(it);
    } finally {
      it.stream.close();
      it.root.close();
    }
  }

  function errorOf(make: () => OpenedTask): unknown {
    try {
      opened(make, () => {});
      return 'opened';
    } catch (error) {
      return error instanceof ThermosError ? error.code : error;
    }
  }

  /** A task on disk with these records in its stream. */
  function written(spec: NewTask, records: readonly CheckpointRecord[]): void {
    for (const path of ['tasks/active', 'checkpoints/task'])
      mkdirSync(join(spec.root, path), { recursive: true });
    mkdirSync(spec.sandbox, { recursive: true });
    writeFileSync(join(spec.root, 'tasks/active/task'), JSON.stringify(task.document));
    const fd = openSync(streamOf(spec), 'a', 0o644);
    new CheckpointWriter(fd).appendAll(records);
    closeSync(fd);
  }

  const ACTIVE: CheckpointRecord = { type: 'task_status', value: { state: 'ACTIVE', timestamp_ms: 1000 } };
  const headerOf = (spec: NewTask, rest = {}): CheckpointRecord => ({
    type: 'runner_header',
    value: { task_id: 'task', sandbox: spec.sandbox, user: me, uid, ...rest },
  });

  test('anew has its files, and a header that says where and for whom it runs', () => {
    const spec = { ...newTask('new', task), ports: { http: 8080 } };
    opened(
      () => open(spec, { ...SETTINGS, now: () => 1234 }),
      ({ header, past, resumed, logDir, account }) => {
        expect(header).toEqual({
          type: 'runner_header',
          value: {
            task_id: 'task',
            launch_time_ms: 1234,
            sandbox: spec.sandbox,
            hostname: hostname(),
            user: me,
            ports: { http: 8080 },
            log_dir: join(spec.sandbox, '.logs'),
            uid,
          },
        });
        expect({ past, resumed, user: account?.name }).toEqual({ past: [], resumed: false, user: me });
        expect(JSON.parse(readFileSync(join(spec.root, 'tasks/active/task'), 'utf8'))).toEqual(task.document);
        expect(statSync(streamOf(spec)).size).toBe(0);
        expect(statSync(logDir).isDirectory()).toBe(true);
      },
    );
  });

  test('again is where its header says, with the records that it has', () => {
    const spec = newTask('again', task);
    const sandbox = join(temp.path, 'again/elsewhere');
    mkdirSync(sandbox, { recursive: true });
    const past = [ACTIVE, headerOf(spec, { sandbox, log_dir: '/logs' })];
    written(spec, past);
    for (const make of [() => open(spec, SETTINGS), () => reopen(spec, SETTINGS)]) {
      opened(make, (it) => {
        expect(it).toMatchObject({ resumed: true, sandbox, logDir: '/logs', userName: me, header: past[1] });
        expect(it.past).toMatchObject(past);
      });
    }
  });

  test('has what a killed runner left of a record taken away', () => {
    const spec = newTask('cut-short', task);
    written(spec, [ACTIVE, headerOf(spec)]);
    const { size } = statSync(streamOf(spec));
    writeFileSync(streamOf(spec), Buffer.from([0, 0, 0, 50, 12]), { flag: 'a' });
    opened(
      () => open(spec, SETTINGS),
      ({ past }) => expect(past).toHaveLength(2),
    );
    expect(statSync(streamOf(spec)).size).toBe(size);
  });

  test('and has ended has its task file moved, and is not run', () => {
    const spec = newTask('ended', task);
    const end = { type: 'task_status', value: { state: 'SUCCESS', timestamp_ms: 2000 } } as const;
    written(spec, [ACTIVE, headerOf(spec), end]);
    expect(errorOf(() => open(spec, SETTINGS))).toBe('task-finished');
    expect(existsSync(join(spec.root, 'tasks/finished/task'))).toBe(true);
    expect(existsSync(join(spec.root, 'tasks/active/task'))).toBe(false);
  });

  test('is not taken over without its header or its task file', () => {
    const headless = newTask('headless', task);
    written(headless, [ACTIVE]);
    expect(errorOf(() => reopen(headless, SETTINGS))).toBe('task-incomplete');
    const fileless = newTask('fileless', task);
    written(fileless, [ACTIVE, headerOf(fileless)]);
    writeFileSync(join(fileless.root, 'tasks/active/task'), '{');
    expect(errorOf(() => reopen(fileless, SETTINGS))).toBe('task-file-damaged');
  });

  test.each([
    ['that others can write', (path: string) => chmodSync(path, 0o666)],
    ['with another name', (path: string) => linkSync(path, `${path}.other`)],
  ])('is not believed by a stream or a task file %s', (what, spoil) => {
    for (const file of ['checkpoints/task/runner', 'tasks/active/task']) {
      const spec = newTask(`spoilt ${what} ${file.replaceAll('/', ' ')}`, task);
      written(spec, [ACTIVE, headerOf(spec)]);
      spoil(join(spec.root, file));
      expect(errorOf(() => open(spec, SETTINGS))).toBe('task-untrusted');
      expect(errorOf(() => reopen(spec, SETTINGS))).toBe('task-untrusted');
      expect(existsSync(join(spec.root, file))).toBe(true);
    }
  });
});
