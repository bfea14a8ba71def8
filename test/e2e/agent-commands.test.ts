import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import type { Agent } from '../agent/agent.js';
import { launchTask } from '../agent/launch.js';
import { type Cluster, startCluster } from '../agent/serve.js';
import { RAN, Records, writeTask } from '../task/trees.js';
import { placeForEach, startThermos } from './harness.js';
import { expectContract } from './tasks.js';
import { Watched } from './watched.js';

const place = placeForEach();
let cluster: Cluster;
let agent: Agent;
let url: string;
beforeEach(async () => {
  cluster = await startCluster([{ id: 'S0', hostname: 'agent-1', workDir: join(place.path, 'mesos') }]);
  [agent] = cluster.agents as [Agent];
  url = cluster.urlOf(agent);
});
afterEach(() => cluster.close());

const events = (...words: string[]) =>
  new Watched(startThermos(['events', '--agent', url, ...words]), place.children);

const task = () => new Records().header({ launch_time_ms: Date.now() }).status('ACTIVE', Date.now());

function write(root: string, id: string, records: Records): void {
  const path = join(root, 'checkpoints', id, 'runner');
  appendFileSync(path, records.bytes().subarray(readFileSync(path).length));
}

test('events of agents are printed as they come; an agent that is away is told once, and when it answers again', async () => {
  const records = task();
  const root = launchTask(agent, 'web', { runner: records });
  const watched = events('--since', '2014-01-01T00:00:00Z');
  await watched.until(({ stdout }) => / ACTIVE +web {2}-/.test(stdout));
  agent.knobs.instead = () => ({ status: 503, headers: {}, body: '' });
  await watched.until(({ stderr }) => stderr.includes(`error: cannot read the agent ${url}`));
  write(root, 'web', records.process('p', ...RAN));
  agent.knobs.instead = () => undefined;
  await watched.until(({ stdout }) => / SUCCESS +web {2}p {2}0 /.test(stdout));
  watched.child.kill('SIGINT');
  expect(await watched.ended).toEqual({ status: 130, signal: null });
  expect(watched.stdout.trimEnd().split('\n')).toHaveLength(5);
  expect(watched.stderr.split('\n').filter((line) => line.startsWith('error:'))).toHaveLength(1);
  expect(watched.stderr).toContain(`the agent ${url} answers again\n`);
});

test('--no-follow --json prints what has happened, with the agent, and exits with 5 if an agent does not answer', async () => {
  launchTask(agent, 'web', { phase: 'finished', runner: task().status('FAILED', Date.now()) }, false);
  const all = events('--json', '--no-follow', '--since', '1h', '--state', 'FAILED');
  expect(await all.ended).toEqual({ status: 0, signal: null });
  const [event] = all.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expectContract('event', event);
  expect(event).toMatchObject({ task_id: 'web', was: 'ACTIVE', agent: { url, hostname: 'agent-1' } });
  const dead = events('--no-follow', '--since', '1h', '--agent', 'http://127.0.0.1:1');
  expect((await dead.ended).status).toBe(5);
  expect(dead.stdout).toMatch(/ FAILED +web /);
  const none = events('--no-follow', '--since', '1h', 'no-such-task');
  expect((await none.ended).status).toBe(1);
});

test('--exec gives the agent to the command, and no root, which is on another host', async () => {
  launchTask(agent, 'web', { phase: 'finished', runner: task().status('FAILED', Date.now()) }, false);
  const command = 'echo "$THERMOS_TASK_ID $THERMOS_AGENT $(printenv THERMOS_ROOT || echo none)"';
  const all = events('--no-follow', '--since', '1h', '--state', 'FAILED', '--exec', command);
  expect((await all.ended).status).toBe(0);
  expect(all.stderr).toBe(`web ${url} none\n`);
});

test('report shows what top has recorded of a task on an agent', async () => {
  launchTask(agent, 'web', { runner: task() });
  const file = join(place.path, 'record');
  const words = ['--interval', '500ms', '--count', '2', '--record', file, '--agent', url];
  const recorded = new Watched(startThermos(['top', ...words]), place.children);
  expect(await recorded.ended).toEqual({ status: 0, signal: null });
  const report = new Watched(
    startThermos(['report', '--json', '--usage', file, '--agent', url, 'web'], { cwd: place.path }),
    place.children,
  );
  expect(await report.ended).toEqual({ status: 0, signal: null });
  expect(report.stderr).not.toContain('no sample');
  expect(report.stdout).toContain('"resources_seen"');
});

test('top shows what the containers of agents use, against what was asked for, and - for what an agent does not know', async () => {
  const resources = { cpu: 0.5, ram: 2 ** 20, disk: 2 ** 20 };
  const config = { name: 'web', resources, processes: [{ name: 'p', cmdline: 'x' }] };
  launchTask(agent, 'web', { task: config, runner: task().process('p', 'WAITING', 'FORKED', 'RUNNING') });
  let seconds = 0;
  agent.knobs.statistics = () => {
    seconds += 10;
    return {
      ...{ timestamp: seconds, cpus_user_time_secs: seconds / 2, cpus_system_time_secs: seconds / 2 },
      ...{
        mem_rss_bytes: 2 ** 19,
        mem_limit_bytes: 2 ** 21,
        disk_used_bytes: 2 ** 21,
        disk_limit_bytes: 2 ** 22,
      },
    };
  };
  const top = (...words: string[]) =>
    new Watched(startThermos(['top', '--interval', '500ms', '--agent', url, ...words]), place.children);
  const table = top();
  expect(await table.ended).toEqual({ status: 0, signal: null });
  expect(table.stdout).toMatch(/^TASK +STATE .* AGE +AGENT\n/);
  expect(table.stdout).toMatch(
    /\nweb +ACTIVE +1\.00 +!200% +512KiB +50% +- +- +- +- +- +2MiB +!200% +- +- +\S+ +agent-1\n$/,
  );
  const document = top('--json');
  await document.ended;
  const sample = JSON.parse(document.stdout);
  expectContract('top', sample);
  expect(sample.tasks).toMatchObject([
    {
      cpu: 1,
      ram_limit_bytes: 2 ** 21,
      disk_limit_bytes: 2 ** 22,
      agent: { url },
      processes: [{ process: 'p', cpu: null }],
    },
  ]);
  agent.knobs.instead = ({ endpoint }) =>
    /containers|statistics/.test(endpoint) ? { status: 403, headers: {}, body: '' } : undefined;
  const refused = top();
  expect((await refused.ended).status).toBe(5);
  expect(refused.stdout).toMatch(/\nweb +ACTIVE +- /);
  expect(refused.stderr).toContain(`cannot read the agent ${url}`);
  const bad = top('--pss');
  expect((await bad.ended).status).toBe(2);
});

test('doctor tells what is wrong with agents and their tasks, and what the scheduler believes otherwise', async () => {
  launchTask(agent, 'web', { runner: task() });
  launchTask(agent, 'dead', { runner: task() }, false);
  const doctor = (...words: string[]) =>
    new Watched(startThermos(['doctor', '--agent', url, ...words]), place.children);
  const text = doctor('--agent', 'http://127.0.0.1:1');
  expect((await text.ended).status).toBe(1);
  expect(text.stdout).toContain(
    'error: 1 agent cannot be reached: what runs there is not known (agent-unreachable)\n',
  );
  expect(text.stdout).toContain(
    'error: 1 task recorded as running, but the executor is gone (runner-dead)\n',
  );
  expect(text.stdout).toContain("ssh -- agent-1 'thermos gc --include-mesos dead'");
  const believed = join(place.path, 'believed.json');
  writeFileSync(believed, JSON.stringify({ web: 'RUNNING', dead: 'RUNNING', lost: 'RUNNING' }));
  const json = doctor('--json', '--retained', believed);
  expect((await json.ended).status).toBe(1);
  const document = JSON.parse(json.stdout);
  expectContract('doctor', document);
  expect(document.checked).toEqual({ roots: 2, tasks: 2, agents: 1 });
  expect(document.reconcile).toMatchObject([
    { task_id: 'dead', local: 'active', expected: 'RUNNING', action: 'none', agent: { url } },
    { task_id: 'web', local: 'active', expected: 'RUNNING', action: 'none', agent: { url } },
    { task_id: 'lost', local: 'absent', action: 'send-lost', send: { state: 'TASK_LOST' } },
  ]);
  expect(document.findings.map(({ code }: { code: string }) => code)).toEqual([
    'runner-dead',
    'scheduler-disagrees',
  ]);
  const web = doctor('--json', '--retained', believed, 'web');
  expect((await web.ended).status).toBe(0);
  expectContract('doctor', JSON.parse(web.stdout));
  expect(JSON.parse(web.stdout)).toMatchObject({
    reconcile_source: 'file',
    reconcile: [{ task_id: 'web', expected: 'RUNNING', action: 'none' }],
  });
  writeFileSync(believed, JSON.stringify({ dead: 'RUNNING' }));
  const unknown = doctor('--retained', believed, 'web');
  expect((await unknown.ended).status).toBe(1);
  expect(unknown.stdout).toMatch(
    /^web {2}ACTIVE\n\nwarning: 1 task recorded as running, but over or unknown to the scheduler /,
  );
  expect(unknown.stdout).toMatch(
    /\nthe task is not as the scheduler has it:\nTASK +STREAM +EXPECTED +ACTION +AGENT\nweb +ACTIVE +unknown +kill +agent-1\n/,
  );
  const one = doctor('dead');
  expect((await one.ended).status).toBe(1);
  expect(one.stdout).toMatch(/^dead {2}ACTIVE {2}runner-gone\n/);
  expect(one.stdout).toContain(' starts the task: ACTIVE\n');
});

test('what a container with several active tasks uses is charged to none of them, whichever is named', async () => {
  const resources = { cpu: 0.5, ram: 2 ** 20, disk: 2 ** 20 };
  const config = { name: 'web', resources, processes: [{ name: 'p', cmdline: 'x' }] };
  const root = launchTask(agent, 'web', { task: config, runner: task() });
  let seconds = 0;
  agent.knobs.statistics = () => {
    seconds += 10;
    const cpu = {
      timestamp: Date.now() / 1000,
      cpus_user_time_secs: 1e6 + 9 * seconds,
      cpus_system_time_secs: 0,
    };
    return { ...cpu, cpus_limit: 1, mem_rss_bytes: 2 ** 30, mem_limit_bytes: 2 ** 29 };
  };
  const asked = async (...words: string[]) => {
    const watched = new Watched(startThermos([...words, '--agent', url]), place.children);
    const { status } = await watched.ended;
    return { ...watched, stdout: watched.stdout, stderr: watched.stderr, status };
  };
  const alone = await asked('doctor', 'web');
  expect(alone.stdout).toContain('(ram-exceeded)');
  writeTask(root, 'other', { task: config, runner: task() });
  const shared = await asked('doctor', 'web');
  expect(shared.stdout).not.toMatch(/exceeded/);
  expect(shared.stderr).toBe(
    'warning: what tasks use is not known: an executor has 2 active tasks, and the agent does not know which of them uses what\n',
  );
  expect((await asked('doctor')).stderr).toBe('');
  const top = await asked('top', '--interval', '500ms', 'web');
  expect(top.stdout).toMatch(/\nweb +ACTIVE +- /);
  expect(top.stderr).toContain('an executor has 2 active tasks');
});

test('doctor tells which tasks ended for lack of memory, as their agents have it, and what it could not ask', async () => {
  launchTask(agent, 'cut', { runner: task() }, false);
  launchTask(agent, 'by-itself', { runner: task() }, false);
  launchTask(agent, 'web', { runner: task() });
  agent.knobs.ending = ({ containerId }) =>
    containerId === 'cut'
      ? {
          reason: 'REASON_CONTAINER_LIMITATION_MEMORY',
          message:
            'Memory limit exceeded: Requested: 64MB Maximum Used: 64MB\n\nMEMORY STATISTICS: \ncache 0',
          timestamp: Date.now() / 1000,
        }
      : { reason: 'REASON_EXECUTOR_TERMINATED' };
  const doctor = async (...words: string[]) => {
    const watched = new Watched(startThermos(['doctor', '--agent', url, ...words]), place.children);
    await watched.ended;
    return watched;
  };
  const finding = `warning: 1 task ended because there was no memory left in the container (oom-killed)\n`;
  const all = await doctor();
  expect([all.stdout, all.stderr]).toEqual([expect.stringContaining(finding), '']);
  expect(all.stdout).toContain('  cut: Memory limit exceeded: Requested: 64MB Maximum Used: 64MB\n');
  expect((await doctor('cut')).stdout).toContain(finding);
  expect((await doctor('by-itself')).stdout).not.toContain('oom-killed');
  agent.calls.splice(0);
  expect((await doctor('web')).stdout).not.toContain('oom-killed');
  expect(agent.calls.filter(({ body }) => body?.includes('GET_TASKS'))).toEqual([]);
  agent.knobs.asksIn = 'readwrite';
  agent.knobs.credentials = { principal: 'me', secret: 's' };
  const closed = await doctor('cut');
  expect(closed.stderr).toBe(
    `warning: why tasks ended is not known: cannot read the agent ${url}: it asks for credentials (realm mesos-agent-readwrite)\n`,
  );
  expect(closed.stdout).not.toContain('oom-killed');
});

test('status --stream prints tasks as their agents answer, and the totals in the end', async () => {
  launchTask(agent, 'web', { runner: task() });
  launchTask(agent, 'done', { phase: 'finished', runner: task().status('SUCCESS', Date.now()) }, false);
  const other = await startCluster([{ id: 'S1', hostname: 'agent-2', workDir: join(place.path, 'other') }]);
  onTestFinished(() => other.close());
  const [late] = other.agents as [Agent];
  launchTask(late, 'late', { runner: task() });
  const status = (...words: string[]) =>
    new Watched(startThermos(['status', '--json', '--stream', '--agent', url, ...words]), place.children);
  late.knobs.isRecovering = true;
  const part = status('--agent', other.urlOf(late));
  expect((await part.ended).status).toBe(5);
  late.knobs.isRecovering = false;
  const linesOf = ({ stdout }: Watched) =>
    stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
  for (const line of linesOf(part)) expectContract('status-stream', line);
  expect(linesOf(part).at(-1)).toEqual({ end: { tasks: 2, roots: 2, agents: 2, problems: 1 } });
  expect(linesOf(part).flatMap(({ problem }) => problem?.code ?? [])).toEqual(['agent-recovering']);
  // It answers only when the tasks of the other one are printed.
  let isAsked = false;
  let answer = () => {};
  const held = new Promise<void>((resolve) => {
    answer = resolve;
  });
  late.knobs.waits = async () => {
    isAsked = true;
    await held;
  };
  const whole = status('--agent', other.urlOf(late));
  await whole.until(({ stdout }) => stdout.includes('"web"') && stdout.includes('"done"') && isAsked);
  answer();
  expect((await whole.ended).status).toBe(0);
  expect(
    linesOf(whole)
      .map((line) => line.task?.task_id ?? Object.keys(line)[0])
      .slice(2),
  ).toEqual(['late', 'end']);
  const word = status('web');
  expect((await word.ended).status).toBe(0);
  expect(linesOf(word)).toMatchObject([{ task: { task_id: 'web' } }, { end: { tasks: 1, agents: 1 } }]);
  const none = status('--only', 'finished', '--state', 'FAILED');
  expect((await none.ended).status).toBe(1);
  expect(linesOf(none)).toEqual([{ end: { tasks: 0, roots: 2, agents: 1, problems: 0 } }]);
});
