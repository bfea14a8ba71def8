import { appendFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { violations } from '../contracts/validate.js';
import { shell, thermos } from './harness.js';
import { type LoggedTask, LoggedTasks, type Running } from './logged-task.js';

const tasks = new LoggedTasks();

/** A finished task whose processes wrote this to stdout. */
function finished(logs: Record<string, string | Buffer>, id?: string): LoggedTask {
  const task = tasks.task(Object.keys(logs), id);
  for (const [name, stdout] of Object.entries(logs)) {
    task.write(name, 0, stdout);
    task.start(name).update(name, 'SUCCESS');
  }
  return task.end('SUCCESS');
}

function tail(task: LoggedTask, ...args: string[]) {
  return thermos(['tail', '--root', task.root, task.id, '--stdout', ...args]);
}

function follow(task: LoggedTask, ...args: string[]): Running {
  return tasks.start(['tail', '--root', task.root, task.id, '--stdout', ...args]);
}

const LOG = 'INFO start\nERROR one\nINFO ok\nerror two\nERROR health\nINFO end\n';

describe('lines that are chosen', () => {
  test('--grep, --exclude and --ignore-case, each several times', () => {
    const task = finished({ web: LOG });
    expect(tail(task, '--grep', 'ERROR')).toMatchObject({
      stdout: 'ERROR one\nERROR health\n',
      stderr: '',
      status: 0,
    });
    expect(tail(task, '--grep', 'start$', '--grep', '^error').stdout).toBe('INFO start\nerror two\n');
    expect(tail(task, '-i', '--grep', 'error', '--exclude', 'HEALTH').stdout).toBe('ERROR one\nerror two\n');
    expect(tail(task, '--exclude', 'INFO', '--exclude', 'one').stdout).toBe('error two\nERROR health\n');
  });

  test('-n counts those that match, also in rotated backups', () => {
    const task = finished({ web: LOG });
    writeFileSync(`${task.log('web', 0)}.1`, 'ERROR old\nINFO old\nERROR half');
    expect(tail(task, '--grep', 'ERROR', '-n', '1').stdout).toBe('ERROR health\n');
    expect(tail(task, '--grep', 'ERROR|half', '-n', '4').stdout).toBe(
      'ERROR old\nERROR halfINFO start\nERROR one\nERROR health\n',
    );
    expect(tail(task, '--grep', 'old', '-n', 'all').stdout).toBe('ERROR old\nINFO old\n');
  });

  test('of several logs keep their prefix', () => {
    const task = finished({ web: LOG, db: 'ERROR db\n' });
    expect(tail(task, '--grep', 'ERROR', '-n', '1').stdout).toBe('web 0 | ERROR health\ndb 0 | ERROR db\n');
    const { stdout } = tail(task, '--grep', 'ERROR', '-n', '1', '--json');
    for (const line of stdout.trimEnd().split('\n')) expect(violations('tail', JSON.parse(line))).toEqual([]);
    expect(stdout.split('\n')).toHaveLength(3);
  });

  test('none: says so with 1, and an empty log has 0 lines', () => {
    const none = tail(finished({ web: LOG }), '--grep', 'FATAL');
    expect(none).toMatchObject({ stdout: '', status: 1 });
    expect(none.stderr).toBe(`error: no line matches in the ${LOG.length} bytes of the log\n`);
    const json = tail(finished({ web: LOG }, 'task-2'), '--grep', 'FATAL', '--json');
    expect(JSON.parse(json.stdout)).toMatchObject({ error: { code: 'no-line-matches' } });
    expect(tail(finished({ web: '' }, 'task-3'), '--grep', 'x')).toMatchObject({
      stderr: '0 lines\n',
      status: 0,
    });
  });

  test('a bad regular expression says where it is wrong', () => {
    const { stderr, status } = tail(finished({ web: LOG }), '--grep', 'fine', '--exclude', 'a(b');
    expect(status).toBe(2);
    expect(stderr).toContain(
      "--exclude takes a regular expression, and 'a(b' is not one: a ( without its ) at character 2",
    );
  });

  test('a hostile line does not take long', () => {
    const task = finished({ web: `${'a'.repeat(1_000_000)}!\nlast\n` });
    expect(tail(task, '--grep', '(a+)+$', '--grep', '(a|a)*b')).toMatchObject({ stdout: '', status: 1 });
  });

  test('when following, a line is matched when it is whole', async () => {
    const task = tasks.task();
    await task.run();
    task.write('web', 0, 'ERROR one\nINFO\nERR');
    task.start('web');
    const running = follow(task, '--grep', 'ERROR');
    await running.until(({ stdout }) => stdout === 'ERROR one\n');
    appendFileSync(task.log('web', 0), 'OR two\nINFO\nlast ERROR');
    await running.until(({ stdout }) => stdout === 'ERROR one\nERROR two\n');
    task.update('web', 'SUCCESS').end('SUCCESS');
    expect(await running.ended).toBe(0);
    expect(running.stdout).toBe('ERROR one\nERROR two\nlast ERROR\n');
  });
});

describe('--highlight', () => {
  test('colours what matches, and what --grep finds, where there is colour', () => {
    const task = finished({ web: 'an ERROR here\nother\n' });
    const words = ['--grep', 'ERR\\w+', '--highlight', 'h.r'];
    const coloured = thermos(['tail', '--root', task.root, task.id, '--stdout', ...words], {
      env: { FORCE_COLOR: '1' },
    });
    const mark = (text: string) => `\u001b[1m\u001b[31m${text}\u001b[39m\u001b[22m`;
    expect(coloured.stdout).toBe(`an ${mark('ERROR')} ${mark('her')}e\n`);
    expect(tail(task, ...words).stdout).toBe('an ERROR here\n');
    expect(tail(task, '--highlight', 'h.r').stdout).toBe('an ERROR here\nother\n');
  });
});

describe('times', () => {
  /** A task whose process had three runs, which ended at these seconds. */
  function threeRuns(): LoggedTask {
    const task = tasks.task([{ name: 'web', max_failures: 5 }]);
    for (const [run, start] of [1_400_000_000, 1_400_001_000, 1_400_002_000].entries()) {
      task.write('web', run, `run ${run}\n`);
      task.start('web', start).update('web', { state: 'FAILED', stop_time: start + 500, return_code: 1 });
      utimesSync(task.log('web', run), start + 400, start + 400);
    }
    return task.end('FAILED');
  }
  const at = (seconds: number) => new Date(seconds * 1000).toISOString();

  test('--since and --until choose runs by when they began and ended, and say that they do', () => {
    const task = threeRuns();
    const since = tail(task, '--since', at(1_400_001_300));
    expect(since).toMatchObject({ stdout: 'web 1 | run 1\nweb 2 | run 2\n', status: 0 });
    expect(since.stderr).toBe(
      `lines have no times: shown are runs and files written since ${at(1_400_001_300)}; 1 log is left out: the last line before was written by ${at(1_400_000_400)}\n`,
    );
    expect(tail(task, '--since', at(1_400_000_900), '--until', '1400001100').stdout).toBe('run 1\n');
    expect(tail(task, '--until', at(1_400_000_100)).stdout).toBe('run 0\n');
    expect(tail(task, '--since', at(1_400_000_000), '--run', '-1').stdout).toBe('run 2\n');
  });

  test('they choose files by when they were written', () => {
    const task = tasks.task();
    task.write('web', 0, 'new\n');
    task
      .start('web', 1_400_000_000)
      .update('web', { state: 'SUCCESS', stop_time: 1_400_000_400, return_code: 0 });
    task.end('SUCCESS');
    writeFileSync(`${task.log('web', 0)}.1`, 'middle\n');
    writeFileSync(`${task.log('web', 0)}.2`, 'old\n');
    const times: [string, number][] = [
      ['.2', 100],
      ['.1', 200],
      ['', 300],
    ];
    for (const [suffix, seconds] of times) {
      utimesSync(task.log('web', 0) + suffix, 1_400_000_000 + seconds, 1_400_000_000 + seconds);
    }
    const shown = (...words: string[]) => tail(task, 'web', '-n', 'all', ...words).stdout;
    expect(shown('--since', '1400000150')).toBe('middle\nnew\n');
    expect(shown('--since', '1400000250')).toBe('new\n');
    expect(shown('--until', '1400000150')).toBe('old\nmiddle\n');
    expect(shown('--since', '1400000150', '--until', '1400000160')).toBe('middle\n');
  });

  test('nothing in the window: says when there was something', () => {
    const { stdout, stderr, status } = tail(threeRuns(), '--since', '2h');
    expect({ stdout, status }).toEqual({ stdout: '', status: 1 });
    expect(stderr).toMatch(/^error: nothing was written since .*: the last line before was written by 2014-/);
  });

  test.each(['yesterday', '25:00', '2h30', ''])('--since=%s: shows right examples', (since) => {
    const { stderr, status } = tail(finished({ web: 'x\n' }), `--since=${since}`);
    expect(status).toBe(2);
    expect(stderr).toContain(
      '--since takes a time such as 2h, 14:30, 2014-05-13T16:53:20Z or 1400000000, not',
    );
  });

  test('--since after --until is a mistake', () => {
    const { stderr, status } = tail(finished({ web: 'x\n' }), '--since', '1h', '--until', '2h');
    expect({ stderr, status }).toMatchObject({ status: 2 });
    expect(stderr).toContain('--since 1h is later than --until 2h');
  });

  test('--previous is the run before the last', () => {
    expect(tail(threeRuns(), '--previous')).toMatchObject({ stdout: 'run 1\n', stderr: '', status: 0 });
    expect(tail(finished({ web: 'x\n' }, 'task-2'), '--previous')).toMatchObject({
      stdout: '',
      stderr: 'error: there is no run before the last one: web ran once only\n',
      status: 1,
    });
  });

  test('--timestamps: when a line arrived, and - before those that were there', async () => {
    const task = tasks.task();
    await task.run();
    task.write('web', 0, 'old\n');
    task.start('web');
    const running = follow(task, '--timestamps');
    const json = follow(task, '--timestamps', '--json');
    await running.until(({ stdout }) => stdout === '- old\n');
    await json.until(({ stdout }) => stdout.endsWith('\n'));
    appendFileSync(task.log('web', 0), 'new\n');
    await running.until(({ stdout }) => stdout.endsWith(' new\n'));
    await json.until(({ stdout }) => stdout.split('\n').length === 3);
    expect(running.stdout).toMatch(/^- old\n\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z new\n$/);
    const [old, late] = json.stdout.split('\n', 2).map((line) => JSON.parse(line));
    expect(old).not.toHaveProperty('arrival_ms');
    expect(late).toMatchObject({ line: 'new', arrival_ms: expect.any(Number) });
    expect(violations('tail', late)).toEqual([]);
    expect(tail(task, '--timestamps', '--no-follow')).toMatchObject({
      stdout: '- old\n- new\n',
      stderr: 'no line has a time: only the arrival of lines that are followed is known\n',
    });
  });

  test('--until in the future ends the following', async () => {
    const task = tasks.task();
    await task.run();
    task.write('web', 0, 'one\n');
    task.start('web');
    const running = follow(task, '--until', String(Date.now() / 1000 + 1));
    expect(await running.ended).toBe(0);
    expect(running.stdout).toBe('one\n');
  });
});

describe('several tasks', () => {
  const AURORA = '-0b5fc0a5-1b7f-4f7b-9a52-0123456789ab';

  test('those that start later are followed, too, from their first line on', async () => {
    const first = tasks.task(['web'], 'job-0');
    await first.run();
    first.write('web', 0, 'zero\n');
    first.start('web');
    const running = tasks.start(['tail', '--root', first.root, 'job-*', '--stdout', 'w*']);
    await running.until(({ stdout }) => stdout === 'job-0 web 0 | zero\n');
    const second = tasks.task(['web', 'db'], 'job-1');
    await second.run();
    second.write('web', 0, 'one\n');
    second.write('db', 0, 'not asked for\n');
    second.start('web').start('db');
    await running.until(({ stdout }) => stdout === 'job-0 web 0 | zero\njob-1 web 0 | one\n');
    expect(running.stderr).toContain('==> job-1: new <==\n');
    for (const task of [first, second]) {
      for (const name of task === first ? ['web'] : ['web', 'db']) task.update(name, 'SUCCESS');
      task.end('SUCCESS');
    }
    expect(await running.ended).toBe(0);
  });

  test('on a terminal, prefixes are in columns with short ids, and control characters are escaped', () => {
    const one = finished({ web: 'a\u001b[31mred\tx\rü\n' }, `www-data-prod-web-0${AURORA}`);
    finished({ worker: Buffer.from([0x9b, 0x41, 10]) }, `www-data-prod-web-1${AURORA}`);
    const onTerminal = (...words: string[]) => {
      const line = ['thermos', 'tail', '--root', one.root, "'www-data-.*'", '--stdout', ...words].join(' ');
      return shell(`SHELL=$(command -v bash) script -qec "${line}" /dev/null </dev/null`, {
        env: { TERM: 'xterm', NO_COLOR: '1' },
      }).stdout;
    };
    expect(onTerminal()).toBe(
      'www-data-prod-web-0-0b5fc0a5 web    0 | a\\e[31mred\tx\\rü\r\n' +
        'www-data-prod-web-1-0b5fc0a5 worker 0 | \ufffdA\r\n',
    );
    expect(onTerminal('--raw')).toContain('a\u001b[31mred\tx\rü\r\n');
  });
});

test('a log that is not beside the others is named', () => {
  const task = finished({ web: 'x\n' });
  rmSync(task.log('web', 0, 'stderr'));
  const { stdout, stderr, status } = thermos(['tail', '--root', task.root, task.id]);
  expect({ stdout, status }).toEqual({ stdout: 'x\n', status: 0 });
  expect(stderr).toBe(`warning: there is no log ${task.log('web', 0, 'stderr')}\n`);
});
