import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { logPathsNamed, type TailPorts, tailNamed } from '../../src/app/tail.js';
import type { Problem } from '../../src/errors/problem.js';
import { STREAMS } from '../../src/layout/log-paths.js';
import type { LogTree } from '../../src/logs/log-tree.js';
import type { TailOptions } from '../../src/logs/tail.js';
import type { TailEvent } from '../../src/logs/tail-event.js';
import { DirectoryWatcher } from '../../src/store/directory-watcher.js';
import type { Changes } from '../../src/task/changes.js';
import { tempDir } from '../e2e/harness.js';
import { Records, writeTask } from '../task/trees.js';
import { gatheredHere, gatheredLate, treeOf } from './gatherers.js';

let temp: ReturnType<typeof tempDir>;
beforeEach(() => {
  temp = tempDir();
});
afterEach(() => temp.remove());

const ALL: TailOptions = {
  processes: [],
  runs: 'all',
  streams: STREAMS,
  lines: undefined,
  follow: false,
  prefixOf: ({ process, run, stream }) => `${process} ${run} ${stream} | `,
  json: false,
};

/** What is printed and told, while it is and afterwards. */
class Printed {
  text = '';
  readonly events: TailEvent[] = [];
  readonly problems: Problem[] = [];
  readonly exitCode: Promise<number>;
  #listeners = new Set<() => void>();

  constructor(
    word: string | undefined,
    options: Partial<TailOptions>,
    ports: TailPorts,
    changes: Changes,
    signalled: Promise<number> = new Promise(() => {}),
  ) {
    this.exitCode = tailNamed(word, { ...ALL, ...options }, ports, {
      write: (bytes) => {
        this.text += bytes.toString();
        this.#tell();
      },
      event: (event) => {
        this.events.push(event);
        this.#tell();
      },
      report: (problem) => void this.problems.push(problem),
      catchSignals: () => {},
      pause: (until) => Promise.race([until.then(() => undefined), signalled]),
      signalled,
      outputClosed: () => false,
      now: () => performance.now(),
      changes,
    });
  }

  /** Resolves when this text was printed. */
  async until(text: string): Promise<void> {
    while (!this.text.includes(text)) await new Promise<void>((resolve) => this.#listeners.add(resolve));
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
    this.#listeners.clear();
  }
}

describe('what is there', () => {
  test.each(['host-bad', 'host-ok-2', 'other.name'])(
    'is printed alike from here and from elsewhere: %s',
    async (id) => {
      const here = gatheredHere(treeOf('host'), temp.path);
      const late = gatheredLate(treeOf('host'));
      for (const options of [{}, { lines: 1 }, { json: true }, { streams: ['stderr' as const], lines: 2 }]) {
        const expected = new Printed(id, options, here, new DirectoryWatcher());
        const printed = new Printed(id, options, late, late.gatherer.changes());
        expect(await printed.exitCode).toBe(await expected.exitCode);
        expect([printed.text, printed.events, printed.problems]).toEqual([
          expected.text,
          expected.events,
          expected.problems,
        ]);
        expect(await logPathsNamed(id, { ...ALL, ...options }, late)).toEqual(
          await logPathsNamed(id, { ...ALL, ...options }, here),
        );
      }
    },
  );

  test('a log with backups is one log, wherever it is', async () => {
    const directory = join(temp.path, 'sandboxes/t/.logs/web/0');
    finished('t');
    const late = gatheredLate(temp.path);
    ['new\n', 'middle\n', 'old\n'].forEach((text, i) => {
      late.gatherer.files.append(join(directory, i === 0 ? 'stdout' : `stdout.${i}`), text);
    });
    const printed = new Printed('t', { streams: ['stdout'], lines: 2 }, late, late.gatherer.changes());
    expect([await printed.exitCode, printed.text]).toEqual([0, 'middle\nnew\n']);
    const { paths } = await logPathsNamed('t', { ...ALL, streams: ['stdout'] }, late);
    expect(paths.map(({ path, bytes }) => [path.slice(directory.length + 1), bytes])).toEqual([
      ['stdout.2', 4],
      ['stdout.1', 7],
      ['stdout', 4],
    ]);
  });

  test('what means no task, process or log is an error here and there', async () => {
    const gatherings = [gatheredHere(treeOf('host'), temp.path), gatheredLate(treeOf('host'))];
    for (const gathering of gatherings) {
      const tail = (word: string | undefined, options: Partial<TailOptions> = {}) =>
        new Printed(word, options, gathering, new DirectoryWatcher()).exitCode;
      await expect(tail('no-such')).rejects.toMatchObject({ code: 'task-not-found' });
      await expect(tail(undefined)).rejects.toMatchObject({ code: 'task-missing' });
      await expect(tail('host-bad', { processes: ['b'] })).rejects.toMatchObject({
        code: 'process-not-found',
      });
      await expect(tail('host-bad', { runs: [7] })).rejects.toMatchObject({ code: 'run-not-found' });
    }
  });
});

function finished(id: string): void {
  const header = { task_id: id, sandbox: join(temp.path, 'sandboxes', id) };
  const runner = new Records()
    .status('ACTIVE')
    .header({ ...header, log_dir: join(header.sandbox, '.logs') })
    .process('web', 'WAITING', 'FORKED', 'RUNNING', 'SUCCESS')
    .status('SUCCESS');
  writeTask(join(temp.path, 'root'), id, { phase: 'finished', runner });
}

describe('following what is written elsewhere', () => {
  const log = (process: string, run: number) =>
    join(temp.path, 'sandboxes/t/.logs', process, String(run), 'stdout');

  function running() {
    const sandbox = join(temp.path, 'sandboxes/t');
    const records = new Records()
      .status('ACTIVE')
      .header({ task_id: 't', sandbox, log_dir: join(sandbox, '.logs') })
      .process('web', 'WAITING', 'FORKED', 'RUNNING');
    const task = { name: 't', processes: [{ name: 'web', max_failures: 2 }] };
    const directory = writeTask(join(temp.path, 'root'), 't', { task, runner: records });
    const late = gatheredLate(temp.path);
    const { files, alive } = late.gatherer;
    alive.add('t');
    files.append(log('web', 0), 'first\n');
    let written = records.bytes().length;
    const append = (add: (records: Records) => Records) => {
      const bytes = add(records).bytes();
      files.append(join(directory, 'runner'), bytes.subarray(written));
      written = bytes.length;
    };
    const end = () => {
      append((records) => records.process('web', 'SUCCESS').status('SUCCESS'));
      alive.delete('t');
      files.rename(join(temp.path, 'root/tasks/active/t'), join(temp.path, 'root/tasks/finished/t'));
    };
    return { late, files, append, end };
  }

  const FOLLOW: Partial<TailOptions> = { streams: ['stdout'], runs: 'last', lines: 10, follow: undefined };

  test('what is appended later is printed, into the next run, until the task ends', async () => {
    const { late, files, append, end } = running();
    const printed = new Printed('t', FOLLOW, late, late.gatherer.changes());
    await printed.until('first\n');
    files.append(log('web', 0), 'second\n');
    await printed.until('second\n');
    append((records) => records.process('web', 'FAILED', 'WAITING', 'FORKED', 'RUNNING'));
    files.append(log('web', 1), 'again\n');
    await printed.until('again\n');
    files.append(log('web', 1), 'last');
    end();
    expect(await printed.exitCode).toBe(0);
    expect(printed.text).toBe('first\nsecond\nagain\nlast');
    expect(printed.events).toMatchObject([
      { kind: 'restart', process: 'web', run: 0, state: 'FAILED' },
      { kind: 'end', task_id: 't', state: 'SUCCESS' },
    ]);
  });

  test('a rotation loses and repeats nothing', async () => {
    const { late, files, end } = running();
    const printed = new Printed('t', FOLLOW, late, late.gatherer.changes());
    await printed.until('first\n');
    for (let i = 1; i <= 5; i++) {
      files.append(log('web', 0), `line ${i}\n`);
      if (files.get(`${log('web', 0)}.1`) !== undefined)
        files.rename(`${log('web', 0)}.1`, `${log('web', 0)}.2`);
      files.rename(log('web', 0), `${log('web', 0)}.1`);
      files.append(log('web', 0), `new ${i}\n`);
      await printed.until(`new ${i}\n`);
    }
    end();
    expect(await printed.exitCode).toBe(0);
    const lines = [1, 2, 3, 4, 5].map((i) => `line ${i}\nnew ${i}\n`);
    expect(printed.text).toBe(`first\n${lines.join('')}`);
  });

  test('a signal ends it though an answer never comes, and nothing is printed after', async () => {
    const { late, files } = running();
    let answer: (bytes: number) => void = () => {};
    const never = new Promise<number>((resolve) => {
      answer = resolve;
    });
    let silent = false;
    const logsOf = (): LogTree => {
      const tree = late.gatherer.logs();
      return {
        ...tree,
        open: async (path) => {
          const opened = await tree.open(path);
          if (!('file' in opened)) return opened;
          const readAt: typeof opened.file.readAt = (buffer, length, offset) =>
            silent ? never : opened.file.readAt(buffer, length, offset);
          return { file: { ...opened.file, readAt } };
        },
      };
    };
    let signal: (exitCode: number) => void = () => {};
    const signalled = new Promise<number>((resolve) => {
      signal = resolve;
    });
    const ports = { gatherer: late.gatherer, logsOf, now: Date.now };
    const printed = new Printed('t', FOLLOW, ports, late.gatherer.changes(), signalled);
    await printed.until('first\n');
    silent = true;
    files.append(log('web', 0), 'never seen\n');
    await new Promise((resolve) => setTimeout(resolve, 50));
    signal(130);
    expect(await printed.exitCode).toBe(130);
    answer(5);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(printed.text).toBe('first\n');
  });
});
