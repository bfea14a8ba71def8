import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { TaskDocument } from '../../src/contracts/task.js';
import type { Problem } from '../../src/errors/problem.js';
import { pathsOf } from '../../src/layout/task-paths.js';
import type { Agent } from '../agent/agent.js';
import { makeAuthority } from '../agent/certificates.js';
import { agentsIn, type Sandbox, sandboxesIn } from '../agent/sandboxes.js';
import { startScheduler } from '../agent/scheduler.js';
import { type Cluster, startCluster } from '../agent/serve.js';
import { violations } from '../contracts/validate.js';
import { asking } from './asking.js';
import { lasting, shownIn } from './doc-sessions.js';
import { FIXTURES, placeForEach, REPOSITORY, startThermos, watchThermos } from './harness.js';

const S0 = '6d1ec2e6-7b1a-4f0d-9a57-3a0f4a0c1c2e-S0';
const S3 = '20150617-080000-16842879-5050-1234-S3';
const SYNC = 'backup-prod-sync-0-ef430183-e62c-5179-a11f-7ad64808585d';
const SITE = '1412345678901-www-data-prod-site-4-ea0c7ddc-e10c-56ed-8143-1cf3c547034e';

const place = placeForEach();
let cluster: Cluster;
let workDir: string;
/** The agents of the fixtures, and their addresses. */
let big: Agent;
let small: Agent;
let bigUrl: string;
let smallUrl: string;
beforeEach(async () => {
  workDir = join(place.path, 'mesos');
  // Before each test: a quarter of what Node's own copy takes.
  execFileSync('cp', ['-RP', join(FIXTURES, 'mesos'), workDir]);
  expect(agentsIn(workDir)).toEqual([S3, S0]);
  cluster = await startCluster([
    { id: S0, hostname: 'agent-1', workDir, sandboxes: sandboxesIn(workDir, S0) },
    { id: S3, hostname: 'agent-2', workDir, sandboxes: sandboxesIn(workDir, S3) },
  ]);
  [big, small] = cluster.agents as [Agent, Agent];
  bigUrl = cluster.urlOf(big);
  smallUrl = cluster.urlOf(small);
});
afterEach(() => cluster.close());

const thermos = asking(place);

async function statusOf(
  ...words: string[]
): Promise<{ tasks: TaskDocument[]; roots: object[]; problems: Problem[]; status: number | null }> {
  const { stdout, status } = await thermos(['status', '--json', ...words]);
  const document = JSON.parse(stdout);
  expect(violations('status', document)).toEqual([]);
  return { ...document, status };
}

describe('status', () => {
  test('shows the tasks of several agents in one table, with their agents', async () => {
    const { stdout, stderr, status } = await thermos(['status', '--agent', bigUrl, '--agent', smallUrl]);
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
    const rows = stdout.trimEnd().split('\n');
    expect(rows[0]).toMatch(/^TASK .* AGE +AGENT$/);
    expect(rows.find((row) => row.startsWith(SYNC))).toMatch(/ SUCCESS +ok .* agent-2$/);
    expect(rows.find((row) => row.startsWith(SITE))).toMatch(/ ACTIVE +ok .* agent-1$/);
  });

  test('gives the agent of each task and each root in the document', async () => {
    const { tasks, roots, problems, status } = await statusOf('--agent', smallUrl);
    const agent = { id: S3, url: smallUrl, hostname: 'agent-2' };
    expect({ problems, status }).toEqual({ problems: [], status: 0 });
    expect(tasks).toMatchObject([{ task_id: SYNC, agent, owner: expect.any(String) }]);
    expect(roots).toMatchObject([{ agent, layout: 'mesos', tasks: 1 }]);
  });

  test('finds agents behind a prefix, and each address is asked once', async () => {
    const proxied = `${cluster.proxiedUrlOf(small)}/`;
    const { tasks } = await statusOf('--agent', proxied, '--agent', cluster.proxiedUrlOf(small));
    expect(tasks.map(({ task_id, agent }) => [task_id, agent?.url])).toEqual([
      [SYNC, cluster.proxiedUrlOf(small)],
    ]);
    expect(small.calls.filter(({ endpoint }) => endpoint === '/state')).toHaveLength(1);
  });

  test('takes the words that it takes here, and reads only the sandbox of a whole id', async () => {
    const of = async (word: string) =>
      (await statusOf('--agent', bigUrl, '--agent', smallUrl, word)).tasks.map(({ task_id }) => task_id);
    expect(await of(SYNC)).toEqual([SYNC]);
    expect(big.calls.map(({ endpoint }) => endpoint)).toEqual(['/state']);
    expect(await of('backup/prod/sync/0')).toEqual([SYNC]);
    expect(await of('prod-sync')).toEqual([SYNC]);
    const [{ directory } = { directory: '' }] = sandboxesIn(workDir, S3);
    expect(await of(directory)).toEqual([SYNC]);
    expect(await of(`${directory.replace(/[^/]*$/, 'latest')}/sandbox`)).toEqual([SYNC]);
    const { stderr, status } = await thermos(['status', '--agent', smallUrl, 'nothing-like-it']);
    expect(stderr).toContain(`no task matches 'nothing-like-it' on the agent ${smallUrl}`);
    expect(stderr).toContain(`thermos status --agent ${smallUrl}`);
    expect(status).toBe(1);
  });

  test('believes the agent about the executor: gone, its runner is gone', async () => {
    const verdictOf = async () => (await statusOf('--agent', bigUrl, SITE)).tasks[0]?.verdict;
    expect(await verdictOf()).toBe('ok');
    const run = sandboxesIn(workDir, S0).find(({ executorId }) => executorId === `thermos-${SITE}`);
    big.terminate(run?.containerId as string);
    expect(await verdictOf()).toBe('runner-gone');
    const { stdout } = await thermos(['inspect', '--agent', bigUrl, SITE]);
    expect(stdout).toContain('is gone: its executor is not among those that the agent runs');
  });

  test('shows the rest if some agents do not answer, says why of each, and exits with 5', async () => {
    big.knobs.isRecovering = true;
    const gone = 'http://127.0.0.1:1';
    const words = ['--agent', bigUrl, '--agent', gone, '--agent', smallUrl];
    const { tasks, problems, status } = await statusOf(...words);
    expect(tasks.map(({ task_id }) => task_id)).toEqual([SYNC]);
    expect(problems).toMatchObject([
      { code: 'agent-recovering', agent: bigUrl, severity: 'error' },
      { code: 'agent-unreachable', agent: gone, severity: 'error' },
    ]);
    expect(status).toBe(5);
    const { stderr } = await thermos(['status', ...words]);
    expect(stderr).toBe(
      `error: cannot read the agent ${bigUrl}: it has not recovered yet
hint: ask again in a minute
error: cannot read the agent ${gone}: nothing listens on port 1 of 127.0.0.1
hint: check that it is running; agents listen on port 5051, masters on 5050 and schedulers on 8081 by default
`,
    );
  });

  test('lists a sandbox that the agent does not give by the name of its executor', async () => {
    small.knobs.forbids = () => true;
    const { tasks, problems, status } = await statusOf('--agent', smallUrl);
    expect(tasks).toMatchObject([{ task_id: SYNC, state: 'UNKNOWN', verdict: 'unknown' }]);
    expect(problems).toMatchObject([{ code: 'sandbox-unreadable', agent: smallUrl }]);
    expect(status).toBe(5);
  });

  test('counts ages by the clock of the agent, and says that it differs', async () => {
    small.knobs.aheadMs = 7_200_000;
    const { problems } = await statusOf('--agent', smallUrl);
    expect(problems).toMatchObject([{ code: 'agent-clock-skew', severity: 'warning', agent: smallUrl }]);
  });

  test('what is collected between two calls is not there', async () => {
    const [{ containerId } = { containerId: '' }] = sandboxesIn(workDir, S3);
    small.collect(containerId);
    const { tasks, problems, status } = await statusOf('--agent', smallUrl);
    expect({ tasks, problems, status }).toEqual({ tasks: [], problems: [], status: 1 });
  });
});

describe('docs/agents.md', () => {
  const shown = shownIn(readFileSync(join(REPOSITORY, 'docs/agents.md'), 'utf8'));
  const ETL = 'www-data-devel-etl-3-3a5f92b5-1098-5286-a2b6-31e2e1a08f5d';
  let env: Record<string, string>;
  beforeEach(async () => {
    const scheduler = await startScheduler([
      { id: ETL, key: 'www-data/devel/etl/3', agentId: S0 },
      { id: SITE, key: 'www-data/prod/site/4', agentId: S0 },
      {
        ...{ id: 'waits', key: 'www-data/devel/etl/4' },
        ...{ status: 'PENDING', message: 'Insufficient: CPU' },
      },
    ]);
    onTestFinished(() => scheduler.close());
    const home = join(place.path, 'home');
    const config = join(home, 'config.json');
    mkdirSync(join(home, '.aurora'), { recursive: true });
    writeFileSync(config, JSON.stringify({ masters: { west: cluster.url } }));
    const clusters = [{ name: 'west', scheduler_uri: scheduler.url }];
    writeFileSync(join(home, '.aurora/clusters.json'), JSON.stringify(clusters));
    env = { HOME: home, THERMOS_CONFIG: config };
  });

  test.each(shown)('$command prints what is shown', async ({ command, output }) => {
    const [, ...words] = command.split(' ');
    const urls = {
      'http://agent-1:5051': bigUrl,
      'http://agent-2:5051': smallUrl,
      'master-1:5050': cluster.url,
    };
    const here = words.map((word) => urls[word as keyof typeof urls] ?? word);
    const { stdout, stderr } = await thermos(here, { env });
    const printed = (stdout + stderr)
      .replaceAll(bigUrl, 'http://agent-1:5051')
      .replaceAll(smallUrl, 'http://agent-2:5051')
      .replaceAll(workDir, '/var/lib/mesos');
    expect(lasting(printed).trimEnd()).toBe(lasting(output));
  });
});

test('inspect shows a task of an agent, with its logs', async () => {
  const { stdout, status } = await thermos(['inspect', '--json', '--agent', smallUrl]);
  const document = JSON.parse(stdout);
  expect(violations('inspect', document)).toEqual([]);
  expect(document).toMatchObject({ task_id: SYNC, agent: { url: smallUrl }, state: 'SUCCESS' });
  expect(document.logs.length).toBeGreaterThan(0);
  expect(status).toBe(0);
});

test('roots shows the sandboxes of agents', async () => {
  const { stdout, status } = await thermos(['roots', '--agent', smallUrl]);
  expect(stdout).toMatch(
    /^PATH +AGENT +LAYOUT +SOURCE +TASKS +READABLE\n\/.* agent-2 +mesos +agent +1 +yes\n$/,
  );
  expect(status).toBe(0);
});

describe('read', () => {
  const streamOf = (agentId: string, task_id: string) => {
    const run = sandboxesIn(workDir, agentId).find(({ executorId }) => executorId === `thermos-${task_id}`);
    return pathsOf({ root: `${run?.directory}/checkpoints`, taskId: task_id }).directory;
  };

  test('replays a checkpoint of an agent, by its path and by its task', async () => {
    const directory = streamOf(S3, SYNC);
    const here = await thermos(['read', '--json', `${directory}/runner`]);
    for (const word of [`${directory}/runner`, directory, SYNC]) {
      const { stdout, status } = await thermos(['read', '--json', '--agent', smallUrl, word]);
      expect({ stdout, status }).toEqual({ stdout: here.stdout, status: 0 });
    }
    const records = await thermos(['read', '--records', '--agent', smallUrl, directory]);
    expect(records.stdout).toBe((await thermos(['read', '--records', directory])).stdout);
    const followed = await thermos(['read', '--follow', '--agent', smallUrl, SYNC]);
    expect(followed.stdout).toBe(records.stdout);
  });

  test('asks for nothing outside the sandboxes', async () => {
    const [{ directory } = { directory: '' }] = sandboxesIn(workDir, S3);
    for (const path of ['/etc/passwd', `${directory}/../../../../x`, `${directory}-other/runner`]) {
      small.calls.splice(0);
      const { stderr, status } = await thermos(['read', '--agent', smallUrl, path]);
      expect(status, path).toBe(1);
      expect(stderr).toMatch(/^error: .* (?:is in no sandbox of the agents|is no checkpoint .*)$/m);
      expect(small.calls.filter(({ query }) => /\/etc|other|\.\./.test(query.get('path') ?? ''))).toEqual([]);
    }
  });
});

describe('tail', () => {
  test('shows the last lines that it shows on the host', async () => {
    const words = ['tail', '--no-follow', '--lines', 'all'];
    const here = await thermos([...words, '--mesos-root', workDir, SYNC]);
    const { stdout, stderr, status } = await thermos([...words, '--agent', smallUrl, SYNC]);
    expect({ stdout, stderr, status }).toEqual({ stdout: here.stdout, stderr: here.stderr, status: 0 });
    expect(stdout).not.toBe('');
  });

  test('follows a log over rotation, truncation and an agent that is away, and ends with the executor', async () => {
    const run = sandboxesIn(workDir, S0).find(
      ({ executorId }) => executorId === `thermos-${SITE}`,
    ) as Sandbox;
    const { stdout: paths } = await thermos(['tail', '--path', '--stdout', '--agent', bigUrl, SITE, 'httpd']);
    const log = paths.trim().replace(run.directory, run.path);
    writeFileSync(log, 'before\n');
    const words = ['--stdout', '--lines', '1', '--no-prefix', '--agent', bigUrl, SITE, 'httpd'];
    const tail = watchThermos(['tail', ...words], place.children);
    const shown = async (text: string) => {
      await vi.waitFor(() => expect(tail.stdout + tail.stderr).toContain(text), {
        timeout: 60_000,
        interval: 50,
      });
    };
    await shown('before\n');
    appendFileSync(log, 'appended\n');
    await shown('appended\n');
    renameSync(log, `${log}.1`);
    appendFileSync(`${log}.1`, 'after the renaming\n');
    writeFileSync(log, 'in the new file\n');
    await shown('in the new file\n');
    big.knobs.instead = () => ({ status: 503, headers: {}, body: '' });
    appendFileSync(log, 'while it was away\n');
    await shown(`waiting for the agent ${bigUrl}`);
    big.knobs.instead = () => undefined;
    await shown('while it was away\n');
    writeFileSync(log, 'truncated\n');
    await shown('truncated\n');
    big.terminate(run.containerId);
    expect(await tail.ended).toBe(0);
    expect(tail.stdout).toBe(
      'before\nappended\nafter the renaming\nin the new file\nwhile it was away\ntruncated\n',
    );
  });
});

test('tail that waits for an agent that is gone ends at the first signal', async () => {
  const tail = watchThermos(['tail', '--stdout', '--agent', bigUrl, SITE, 'httpd'], place.children);
  await vi.waitFor(() => expect(tail.stdout + tail.stderr).not.toBe(''), { timeout: 60_000, interval: 50 });
  await cluster.close();
  await vi.waitFor(() => expect(tail.stderr).toContain('waiting for the agent'), {
    timeout: 60_000,
    interval: 50,
  });
  tail.child.kill('SIGINT');
  // While it still reads the first lines, the signal has its default effect.
  expect([130, 'SIGINT']).toContain(await tail.ended);
});

describe('the files of a task', () => {
  test('are listed, printed and copied as on the host', async () => {
    const both = async (...words: string[]) => {
      const [command = '', ...rest] = words;
      const here = await thermos([command, '--mesos-root', workDir, ...rest]);
      const remote = await thermos([command, '--agent', smallUrl, ...rest]);
      return { here, remote };
    };
    for (const words of [
      ['ls', '--recursive', SYNC],
      ['ls', `${SYNC}:sandbox/.logs/sync/../sync/0`],
      ['cat', `${SYNC}:sandbox/.logs/sync/0/stdout`],
      ['cat', `${SYNC}:no`],
      ['cat', `${SYNC}:sandbox/.logs`],
      ['ls', `${SYNC}:../..`],
    ]) {
      const { here, remote } = await both(...words);
      // Times of an agent have whole seconds.
      const plain = (text: string) =>
        text
          .replace(/(:\d\d)\.\d+Z/g, '$1Z')
          .replace(/ +/g, ' ')
          .replace(/--agent \S+ /, '');
      const rest = (text: string) => plain(text).replace(/--mesos-root \S+ /, '');
      expect({ words, ...remote, stdout: plain(remote.stdout), stderr: plain(remote.stderr) }).toEqual({
        words,
        ...here,
        stdout: rest(here.stdout),
        stderr: rest(here.stderr),
      });
    }
    const copy = join(place.path, 'copy');
    const { status } = await thermos(['cp', '--recursive', '--agent', smallUrl, SYNC, copy]);
    expect(status).toBe(0);
    const [{ path } = { path: '' }] = sandboxesIn(workDir, S3);
    const filesIn = (top: string) =>
      readdirSync(top, { recursive: true, encoding: 'utf8' })
        .filter((name) => statSync(join(top, name)).isFile())
        .map((name) => [name, readFileSync(join(top, name)).toString('latin1')]);
    expect(Object.fromEntries(filesIn(copy))).toEqual(Object.fromEntries(filesIn(path)));
  });

  test('that lead out of the sandbox are not given', async () => {
    const [{ path } = { path: '' }] = sandboxesIn(workDir, S3);
    symlinkSync('/etc/passwd', join(path, 'out'));
    const { stdout, stderr, status } = await thermos(['cat', '--agent', smallUrl, `${SYNC}:out`]);
    expect({ stdout, status }).toEqual({ stdout: '', status: 5 });
    expect(stderr).toMatch(/^error: cannot read \/.*\/out: the agent does not let you read it$/m);
  });
});

test('wait ends with the task, and with an executor that is gone says so', async () => {
  const done = await thermos(['wait', '--agent', smallUrl, SYNC]);
  expect({ status: done.status, stderr: done.stderr }).toEqual({ status: 0, stderr: '' });
  const run = sandboxesIn(workDir, S0).find(({ executorId }) => executorId === `thermos-${SITE}`);
  big.terminate(run?.containerId as string);
  const gone = startThermos(['wait', '--agent', bigUrl, SITE]);
  place.children.push(gone);
  let stderr = '';
  gone.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const told = 'no runner is alive: its executor is not among those that the agent runs';
  await vi.waitFor(() => expect(stderr).toContain(told), { timeout: 60_000, interval: 50 });
});

test('diff compares tasks of different agents', async () => {
  const other = 'www-data-prod-web-2-76c04a39-9ede-5b2d-884a-c9b9a66942f0';
  const words = ['diff', '--json', SYNC, other];
  const here = await thermos([...words, '--mesos-root', workDir]);
  const { stdout, status } = await thermos([...words, '--agent', bigUrl, '--agent', smallUrl]);
  expect(status).toBe(here.status);
  expect(JSON.parse(stdout)).toEqual(JSON.parse(here.stdout));
});

test('report writes the page of a task, with links to its logs on the agent', async () => {
  const out = join(place.path, 'pages');
  const words = ['report', '--out', out, '--agent', smallUrl, SYNC];
  const { status, stderr } = await thermos(words);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  const page = readFileSync(join(out, 'task', SYNC, 'index.html'), 'utf8');
  expect(page).toContain(`${smallUrl}/files/download?path=`);
});

test.each([
  ['kill', ['kill', 'x'], 'aurora job kill'],
  ['gc', ['gc'], '--gc_delay'],
  ['run', ['run', 'x.thermos'], 'aurora job create'],
  ['run', ['run', 'x.thermos'], 'ssh HOST thermos run …'],
  ['simplerun', ['simplerun', '--', 'true'], 'aurora job create'],
  ['exec', ['exec', 'x', '--', 'true'], 'aurora task run'],
  ['signal', ['signal', 'x', 'p', 'TERM'], 'ssh HOST thermos signal …'],
  ['restart', ['restart', 'x', 'p'], 'aurora job restart'],
])('%s does not ask agents, and says what to use instead', async (command, words, instead) => {
  const [first = '', ...rest] = words;
  for (const flag of [['--agent', smallUrl], [`--agent=${smallUrl}`]]) {
    const { stdout, stderr, status } = await thermos([first, ...flag, ...rest]);
    expect({ stdout, status }).toEqual({ stdout: '', status: 2 });
    expect(stderr).toContain(`error: ${command} `);
    expect(stderr).toContain(instead);
  }
  expect(small.calls).toEqual([]);
});

describe('an agent that asks who one is', () => {
  const fileOf = (json: object, mode = 0o600) => {
    const path = join(place.path, 'credentials');
    rmSync(path, { force: true });
    writeFileSync(path, JSON.stringify(json), { mode });
    return path;
  };
  beforeEach(() => {
    small.knobs.credentials = { principal: 'me', secret: 'never-shown' };
  });

  test('is asked with what is in the file, by the flag and by the environment', async () => {
    const nobody = await thermos(['status', '--agent', smallUrl]);
    expect(nobody.status).toBe(5);
    expect(nobody.stderr).toBe(
      `error: cannot read the agent ${smallUrl}: it asks for credentials (realm mesos-agent-readonly)
hint: give them with --credentials-file FILE; if you did, check that file
`,
    );
    const path = fileOf({ principal: 'me', secret: 'never-shown' });
    const { status, stderr } = await thermos(['status', '--agent', smallUrl, '--credentials-file', path]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const env = { THERMOS_CREDENTIALS_FILE: path };
    expect((await thermos(['status', '--agent', smallUrl], { env })).status).toBe(0);
  });

  test('refuses a wrong secret, which nobody sees', async () => {
    const path = fileOf({ credentials: [{ principal: 'me', secret: 'never-shown-either' }] });
    const words = ['status', '--debug', '--agent', smallUrl, '--credentials-file', path];
    const { stdout, stderr, status } = await thermos(words);
    expect(status).toBe(5);
    expect(stdout + stderr).not.toMatch(/never-shown|bWU6/);
  });

  test('is not asked with a file that others can read', async () => {
    const path = fileOf({ principal: 'me', secret: 'never-shown' }, 0o640);
    const { stderr, status } = await thermos(['status', '--agent', smallUrl, '--credentials-file', path]);
    expect(status).toBe(2);
    expect(stderr).toContain(`${path} has mode 0640: others can read the secret in it, so it is not used`);
    expect(small.calls).toEqual([]);
  });
});

test('TLS: an authority of its own by --ca, or --insecure, which is said each time', async () => {
  const authority = makeAuthority();
  const options = [{ id: S3, workDir, sandboxes: sandboxesIn(workDir, S3) }];
  const secure = await startCluster(options, { tls: authority.certify('127.0.0.1') });
  try {
    const words = ['status', '--quiet', '--agent', secure.urlOf(secure.agents[0] as Agent)];
    expect(await thermos(words)).toMatchObject({ status: 5, stderr: expect.stringContaining('--ca FILE') });
    const ca = join(place.path, 'ca.pem');
    writeFileSync(ca, authority.cert);
    expect(await thermos([...words, '--ca', ca])).toMatchObject({
      status: 0,
      stderr: '',
      stdout: `${SYNC}\n`,
    });
    expect(await thermos([...words, '--insecure'])).toMatchObject({
      status: 0,
      stderr: 'warning: with --insecure, nobody checks who answers\n',
    });
    writeFileSync(ca, 'not PEM');
    const wrong = await thermos([...words, '--ca', ca]);
    expect(wrong.status).toBe(2);
    expect(wrong.stderr).toContain(`--ca ${ca} does not hold a certificate as PEM`);
  } finally {
    await secure.close();
  }
});

test.each([
  [['--agent', 'http://me:never-shown@agent'], 'must hold no user or password'],
  [['--agent', 'me:never-shown@agent'], 'must hold no user or password'],
  [['--agent', 'ftp://agent'], "takes an http or https address, not 'ftp://agent'"],
  [['--agent', ''], 'takes an http or https address'],
  [['--agent', 'agent', '--root', '/x'], '--root'],
])('%j is a wrong command line', async (words, message) => {
  const { stdout, stderr, status } = await thermos(['status', '--debug', ...words]);
  expect({ stdout, status }).toEqual({ stdout: '', status: 2 });
  expect(stderr).toContain(message);
  expect(stderr).not.toContain('never-shown');
});
