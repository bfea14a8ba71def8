import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { FAILED, RAN, Records, writeTask } from '../task/trees.js';
import { FIXTURES, placeForEach, shell, startThermos, thermos } from './harness.js';
import { expectContract, unprivileged } from './tasks.js';

const HOST = join(FIXTURES, 'host', 'root');
const MESOS = join(FIXTURES, 'mesos');

const place = placeForEach();
let root: string;
let out: string;
beforeEach(() => {
  ({ root } = place);
  out = join(place.path, 'out');
});

const report = (...args: string[]) => thermos(['report', '--root', root, '--out', out, ...args]);
const read = (...names: string[]) => readFileSync(join(out, ...names), 'utf8');

/** A finished task whose process web failed, with a log. */
function writeFailed(id: string, log = 'no space left on device\n', inRoot = root): void {
  const sandbox = join(inRoot, 'sandboxes', id);
  mkdirSync(join(sandbox, '.logs/web/0'), { recursive: true });
  writeFileSync(join(sandbox, '.logs/web/0/stderr'), log);
  const runner = new Records()
    .header({ task_id: id, sandbox, user: 'root', uid: 0, launch_time_ms: 1_400_000_000_000, hostname: 'h' })
    .status('ACTIVE')
    .process('web', ...FAILED)
    .status('FAILED', 1_400_000_005_000);
  const task = { name: id, processes: [{ name: 'web', cmdline: 'false' }] };
  writeTask(inRoot, id, { phase: 'finished', task, runner });
}

function writeSucceeded(id: string): void {
  const runner = new Records()
    .status('ACTIVE')
    .process('a', ...RAN)
    .status('SUCCESS', 1_400_000_006_000);
  writeTask(root, id, { phase: 'finished', task: { name: id, processes: [{ name: 'a' }] }, runner });
}

describe('report', () => {
  test('writes a page, a text and the data of each task of a host and of an agent, and a list of them', () => {
    const flags = ['--root', HOST, '--mesos-root', MESOS];
    const status = JSON.parse(thermos(['status', '--json', ...flags]).stdout);
    const finished = thermos(['report', '--json', '--out', out, ...flags]);
    expect(finished.status).toBe(0);
    const document = JSON.parse(finished.stdout);
    expectContract('report', document);
    const ids = (tasks: { task_id: string; root: string }[]) =>
      tasks.map(({ task_id, root }) => `${task_id} in ${root}`).sort();
    expect(ids(document.pages)).toEqual(ids(status.tasks));
    expect(document.index).toBe(join(out, 'index.html'));
    const list = read('index.html');
    for (const { task_id, path, bytes } of document.pages) {
      expect(statSync(path).size).toBe(bytes);
      const page = readFileSync(path, 'utf8');
      expect(page).toContain(task_id);
      expect(page).toContain("default-src 'none'");
      expect(list).toContain(`href="${path.slice(out.length + 1)}"`);
    }
    expect(readdirSync(join(out, 'task/host-bad')).sort()).toEqual(['index.html', 'report.js', 'report.txt']);
    expect(read('task/host-bad/report.js')).toMatch(/^thermosReport\(\{"made_ms":/);
  });

  test('says which page to open, and lists tasks that failed first', () => {
    writeSucceeded('good');
    writeFailed('bad');
    const all = report();
    expect(all).toMatchObject({ status: 0, stderr: '' });
    expect(all.stdout).toMatch(new RegExp(`^2 pages, \\d+(\\.\\d)?KiB: open ${out}/index.html\n$`));
    const links = [...read('index.html').matchAll(/href="(task[^"]*)"/g)].map(([, href]) => href);
    expect(links).toEqual(['task/bad/index.html', 'task/good/index.html']);
    expect(report('bad').stdout).toContain(`: open ${out}/task/bad/index.html\n`);
  });

  test('the text has the last lines of the log and why, at its end', () => {
    writeFailed('bad');
    expect(report('bad').status).toBe(0);
    expect(read('task/bad/report.txt')).toMatch(
      /\nSTDERR OF web, RUN 0 \(24B\)\n {2}\| no space left on device\n\nWHY\n {2}The task ended FAILED at 2014-05-13T16:53:25Z\.\n/,
    );
    expect(report('--log-bytes', '0', 'bad').status).toBe(0);
    expect(read('task/bad/report.txt')).not.toContain('STDERR OF web');
  });

  test('writes to ./thermos-report if nothing else is said', () => {
    writeFailed('bad');
    const finished = thermos(['report', '--root', root], { cwd: place.path });
    expect(finished.stdout).toContain(`${place.path}/thermos-report/task/bad/index.html`);
    expect(existsSync(join(place.path, 'thermos-report/index.html'))).toBe(true);
  });

  test('keeps the page of each root that has the same id; links to the id lead to the one launched last', () => {
    writeFailed('same');
    const other = join(place.path, 'other');
    const runner = new Records()
      .header({ launch_time_ms: 1_500_000_000_000 })
      .status('ACTIVE')
      .status('KILLED');
    writeTask(other, 'same', { phase: 'finished', runner });
    const { stdout, status } = report('--json', '--root', other);
    const { pages } = JSON.parse(stdout);
    expect(status).toBe(0);
    expect(pages).toHaveLength(2);
    expect(pages.map(({ root }: { root: string }) => root)).toEqual([other, root]);
    expect(pages[0].path).toBe(join(out, 'task/same/index.html'));
    expect(pages[1].path).toMatch(/\/task\/same\/root-[0-9a-f]{12}\/index\.html$/);
    expect(read('index.html').match(/href="task\/same\//g)).toHaveLength(2);
  });

  test('the ids of tasks are encoded in links, and shown escaped', () => {
    writeFailed('a b#<i>?%2e\u202e');
    expect(report().status).toBe(0);
    const list = read('index.html');
    expect(list).toContain('href="task/a%20b%23%3Ci%3E%3F%252e%E2%80%AE/index.html"');
    expect(list).toContain('a b#&lt;i>?%2e\\u{202e}');
  });

  test('links to downloads and to the sandbox only for tasks of Mesos, and only to http(s)', () => {
    const links = ['--agent-url', 'http://agent:5051/', '--master-url', 'https://master/mesos'];
    const { stdout } = thermos(['report', '--json', '--out', out, '--mesos-root', MESOS, ...links]);
    const [{ path }] = JSON.parse(stdout).pages.filter(({ task_id }: { task_id: string }) =>
      task_id.includes('etl'),
    );
    const script = readFileSync(path.replace('index.html', 'report.js'), 'utf8');
    const data = JSON.parse(script.slice('thermosReport('.length, -3));
    const [log] = data.task.logs;
    expect(data.links.downloads[log.path]).toBe(
      `http://agent:5051/files/download?path=${encodeURIComponent(log.path)}`,
    );
    // Its sandbox was collected.
    const directory = data.task.root.replace(/\/checkpoints$/, '');
    expect(data.links.browse).toBe(
      `https://master/mesos/#/agents/${data.task.mesos.agent_id}/browse?path=${encodeURIComponent(directory)}`,
    );
    writeFailed('bad');
    expect(report(...links).status).toBe(0);
    expect(read('task/bad/report.js')).not.toContain('"links"');
    for (const url of ['javascript:alert(1)', 'agent:5051', 'http://me:secret@agent']) {
      expect(report('--agent-url', url)).toMatchObject({ status: 2, stdout: '' });
    }
  });

  test('--trace writes the runs for Perfetto, and says which it leaves out', () => {
    writeFailed('bad');
    writeTask(root, 'odd', {
      runner: new Records()
        .status('ACTIVE')
        .process('a', 'WAITING', 'FORKED', { state: 'RUNNING', start_time: 1e300, pid: 4_194_002 }),
    });
    const { status, stderr } = report('--trace');
    expect(stderr).toContain(
      'warning: the trace of odd leaves out 1 of its runs: their times cannot be true\n',
    );
    expect(status).toBe(0);
    const { traceEvents } = JSON.parse(read('task/bad/trace.json'));
    expect(traceEvents.at(-1)).toMatchObject({ ph: 'X', name: 'web 0: FAILED (7)', dur: 1_000_000 });
  });

  test('without tasks writes an empty list; a word that matches none is an error', () => {
    mkdirSync(join(root, 'tasks/active'), { recursive: true });
    mkdirSync(join(root, 'checkpoints'));
    expect(report()).toMatchObject({ status: 0, stderr: `No tasks in ${root}.\n` });
    expect(read('index.html')).toContain('No tasks.');
    writeFailed('bad');
    expect(report('web')).toMatchObject({ status: 1, stdout: '' });
    const some = report('--json', 'bad', 'web');
    expect(some.status).toBe(5);
    expect(JSON.parse(some.stdout)).toMatchObject({
      pages: [{ task_id: 'bad' }],
      problems: [{ code: 'task-not-found' }],
    });
  });

  test('a damaged stream gives the page of what is sound, with the problem', () => {
    writeFailed('bad');
    const path = join(root, 'checkpoints/bad/runner');
    writeFileSync(path, Buffer.concat([readFileSync(path), Buffer.alloc(40, 0xff)]));
    expect(report()).toMatchObject({ status: 5 });
    expect(read('task/bad/report.txt')).toMatch(/\nPROBLEMS\n {2}error: [\s\S]*runner/);
    expect(read('task/bad/index.html')).toContain('FAILED');
  });

  test('a directory that cannot be written: exit 5, and nothing is made', () => {
    writeFailed('bad');
    const closed = join(place.path, 'closed');
    mkdirSync(closed, { mode: 0o555 });
    const { uid } = unprivileged();
    const denied = thermos(['report', '--json', '--root', root, '--out', join(closed, 'out')], { uid });
    expect(denied.status).toBe(5);
    expect(JSON.parse(denied.stdout)).toMatchObject({
      error: { code: 'report-unwritable', message: `cannot write ${closed}/out: permission denied` },
    });
    expect(readdirSync(closed)).toEqual([]);
    writeFileSync(out, '');
    expect(report()).toMatchObject({ status: 5, stdout: '' });
  });

  test('a disk that becomes full: exit 5, the former page stays, and no half page is left', () => {
    writeFailed('bad');
    expect(report().status).toBe(0);
    const before = read('task/bad/index.html');
    // A file that becomes too long fails like one on a full disk.
    const full = shell(`trap '' XFSZ; ulimit -f 1; thermos report --root '${root}' --out '${out}'`);
    expect(full.status).toBe(5);
    expect(full.stderr).toContain(`error: cannot write ${out}/task/bad`);
    expect(read('task/bad/index.html')).toBe(before);
    expect(readdirSync(join(out, 'task/bad')).sort()).toEqual(['index.html', 'report.js', 'report.txt']);
  });

  test('a link in the directory is not followed: that task has no page, and the others have', () => {
    writeFailed('bad');
    writeFailed('worse');
    const elsewhere = join(place.path, 'elsewhere');
    mkdirSync(elsewhere);
    mkdirSync(join(out, 'task'), { recursive: true });
    symlinkSync(elsewhere, join(out, 'task/bad'));
    // Neither is a directory in the place of a page removed.
    writeFailed('taken');
    mkdirSync(join(out, 'task/taken/index.html'), { recursive: true });
    const { status, stderr } = report();
    expect(status).toBe(5);
    expect(stderr).toContain('the page of bad is not written');
    expect(stderr).toContain('the page of taken is not written: is a directory\n');
    expect(readdirSync(join(out, 'task/taken/index.html'))).toEqual([]);
    expect(readdirSync(elsewhere)).toEqual([]);
    expect(existsSync(join(out, 'task/worse/index.html'))).toBe(true);
    expect(read('index.html')).not.toContain('task/bad');
  });

  test('an unprivileged user gets a page of what may be read', () => {
    writeFailed('bad');
    chmodSync(join(root, 'sandboxes/bad'), 0o700);
    const { uid } = unprivileged();
    mkdirSync(out, { mode: 0o777 });
    chmodSync(out, 0o777);
    const finished = thermos(['report', '--root', root, '--out', out], { uid });
    expect(finished.status).toBe(uid === undefined ? 0 : 5);
    expect(read('task/bad/report.txt')).toContain('The task ended FAILED');
  });
});

describe('report --watch', () => {
  /** Starts it; `line` resolves to the next document that it prints. */
  function watch(...args: string[]) {
    const child = startThermos(['report', '--watch', '--json', '--root', root, '--out', out, ...args]);
    place.children.push(child);
    let stdout = '';
    let stderr = '';
    child.stdout?.setEncoding('utf8').on('data', (data: string) => {
      stdout += data;
    });
    child.stderr?.setEncoding('utf8').on('data', (data: string) => {
      stderr += data;
    });
    const ended = new Promise((resolve) =>
      child.on('close', (status, signal) => resolve({ status, signal, stderr })),
    );
    const until = async (condition: () => boolean) => {
      for (const deadline = Date.now() + 60_000; !condition(); ) {
        if (Date.now() > deadline || child.exitCode !== null) throw new Error(`${stdout}${stderr}`);
        await new Promise((done) => setTimeout(done, 10));
      }
    };
    const documents = () =>
      stdout
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line));
    return { child, ended, until, documents };
  }

  const REFRESH = '<meta http-equiv="refresh" content="5"';

  test('writes a page again when its task changes, and the list; Ctrl-C ends it', async () => {
    writeSucceeded('over');
    const records = new Records().status('ACTIVE', Date.now());
    writeTask(root, 'web', { runner: records });
    const { child, ended, until, documents } = watch();
    await until(() => documents().length === 1);
    expectContract('report', documents()[0]);
    expect(documents()[0].pages).toHaveLength(2);
    expect(read('task/web/index.html')).toContain(REFRESH);
    expect(read('index.html')).toContain(REFRESH);
    expect(read('task/over/index.html')).not.toContain(REFRESH);
    const before = statSync(join(out, 'task/over/index.html')).mtimeMs;
    writeTask(root, 'web', { runner: records.process('a', ...FAILED) });
    await until(() => read('task/web/report.txt').includes('FAILED (7)'));
    writeTask(root, 'later', { runner: new Records().status('ACTIVE') });
    await until(() => existsSync(join(out, 'task/later/index.html')));
    await until(() => read('index.html').includes('task/later'));
    expect(statSync(join(out, 'task/over/index.html')).mtimeMs).toBe(before);
    child.kill('SIGINT');
    expect(await ended).toEqual({ status: 130, signal: null, stderr: '' });
    expect(readdirSync(join(out, 'task/web')).sort()).toEqual(['index.html', 'report.js', 'report.txt']);
    for (const document of documents()) expectContract('report', document);
  });

  test('says what it can no longer write, and goes on when it can', async () => {
    const records = new Records().status('ACTIVE', Date.now());
    writeTask(root, 'web', { runner: records });
    const { child, ended, until, documents } = watch();
    await until(() => documents().length === 1);
    renameSync(join(out, 'task/web'), join(out, 'task/moved'));
    symlinkSync(join(out, 'task/moved'), join(out, 'task/web'));
    writeTask(root, 'web', { runner: records.process('a', ...FAILED) });
    await until(() => documents().length === 2);
    expect(documents()[1].problems).toMatchObject([{ code: 'report-unwritable', task_id: 'web' }]);
    unlinkSync(join(out, 'task/web'));
    writeTask(root, 'web', { runner: records.process('b', ...FAILED) });
    await until(() => existsSync(join(out, 'task/web/index.html')));
    child.kill('SIGTERM');
    expect(await ended).toMatchObject({ status: 143 });
  });

  test('a word that matches no task is an error at once', async () => {
    writeSucceeded('over');
    const { ended } = watch('web');
    expect(await ended).toMatchObject({ status: 1 });
  });
});
