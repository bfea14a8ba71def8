import { appendFileSync, cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeRecord } from '../../src/checkpoint/codec.js';
import { encodeFrame } from '../../src/checkpoint/framing.js';
import type { CheckpointRecord } from '../../src/checkpoint/records.js';
import type { InspectDocument, TaskDocument } from '../../src/contracts/task.js';
import { reportScript } from '../../src/report/data.js';
import { agentsIn, sandboxesIn } from '../agent/sandboxes.js';
import { type Cluster, startCluster } from '../agent/serve.js';
import { FIXTURES, thermos } from '../e2e/harness.js';
import { barriersIn } from './axe.js';
import { closePagesAfterEach, open } from './browser.js';
import { HOSTILE } from './hostile.js';
import { reportOf } from './reports.js';

closePagesAfterEach();

const MOST_BYTES = 150 * 1024;
const S0 = '6d1ec2e6-7b1a-4f0d-9a57-3a0f4a0c1c2e-S0';
const ETL = 'www-data-devel-etl-3-3a5f92b5-1098-5286-a2b6-31e2e1a08f5d';
const SITE = '1412345678901-www-data-prod-site-4-ea0c7ddc-e10c-56ed-8143-1cf3c547034e';
const SITE_RUN = `slaves/${S0}/frameworks/b9cc1a4b-5a0d-4b1e-8c0f-0d8ae1d3f7a2-0000/executors/thermos-${SITE}/runs/6514b84e-b0ab-5c71-b96c-fedf6a0d5b31`;
/** A process whose times have bytes of all values. */
const EVERY_BYTE = 'every-byte';

let directory: string;
let workDir: string;
let cluster: Cluster;
let viewer: string;
const servers: Server[] = [];

const streamOf = (run: string, id: string) => join(workDir, run, 'checkpoints/checkpoints', id, 'runner');

function append(stream: string, records: readonly CheckpointRecord[]): void {
  appendFileSync(stream, Buffer.concat(records.map((record) => encodeFrame(encodeRecord(record)))));
}

/** The records of runs whose times are made of all bytes, eight at a time. */
function everyByte(): CheckpointRecord[] {
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
  return Array.from({ length: 32 }, (_, i) => {
    const process = `${EVERY_BYTE}-${i}`;
    const time = bytes.readDoubleBE(8 * i);
    return [
      { type: 'process_status', value: { seq: 0, process, state: 'WAITING' } },
      {
        type: 'process_status',
        value: { seq: 1, process, state: 'FORKED', fork_time: time, coordinator_pid: 0x0a0d_0000 + i },
      },
    ] satisfies CheckpointRecord[];
  }).flat();
}

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'viewer-'));
  workDir = join(directory, 'mesos');
  cpSync(join(FIXTURES, 'mesos'), workDir, { recursive: true, verbatimSymlinks: true });
  append(streamOf(SITE_RUN, SITE), everyByte());
  cluster = await startCluster(
    agentsIn(workDir).map((id, i) => ({
      id,
      workDir,
      hostname: `host-${i}`,
      sandboxes: sandboxesIn(workDir, id),
    })),
  );
  const path = join(directory, 'thermos.html');
  writeFileSync(path, thermos(['report', '--viewer']).stdout);
  viewer = pathToFileURL(path).href;
});
afterAll(async () => {
  for (const server of servers) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
  await cluster.close();
  rmSync(directory, { recursive: true });
});

const agentsHash = () => `#${cluster.agents.map((agent) => `agent=${cluster.urlOf(agent)}`).join('&')}`;

/** Until every agent was asked, every task was read, and that is shown. */
const isRead = (page: Page) =>
  page.waitForFunction(() => {
    const summary = document.querySelector('#viewer-summary')?.textContent ?? '';
    return summary.includes('answered') && !/are asked|to be read/.test(summary);
  });

/** The rows of the list: state, task, host … */
const rowsOf = (page: Page) =>
  page.$$eval('#viewer-table tbody tr', (rows) =>
    rows.map((row) => [...row.children].map((cell) => cell.textContent ?? '')),
  );

async function waitForText(page: Page, selector: string, text: string): Promise<void> {
  await page.waitForFunction(
    ([where, what]) => (document.querySelector(where as string)?.textContent ?? '').includes(what as string),
    [selector, text],
  );
}

/** A server that answers with scripts of its own. */
async function serve(answer: (path: string, name: string) => string): Promise<string> {
  const server = createServer(({ url = '' }, response) => {
    const { pathname, searchParams } = new URL(url, 'http://x');
    response.setHeader('Content-Type', 'text/javascript');
    response.end(answer(pathname, searchParams.get('jsonp') ?? ''));
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('the viewer is one file of at most 150 KiB that refers to no other', () => {
  const { stdout, stderr, status } = thermos(['report', '--viewer']);
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
  expect(Buffer.byteLength(stdout)).toBeLessThan(MOST_BYTES);
  expect(stdout).not.toMatch(/(?:src|href)="(?!#|data:)/);
});

describe('the list', () => {
  test('has the tasks of all agents with the states of status --json, what needs attention first', async () => {
    const { page, heard } = await open(viewer + agentsHash());
    await isRead(page);
    const { tasks } = JSON.parse(thermos(['status', '--json', '--mesos-root', workDir]).stdout) as {
      tasks: TaskDocument[];
    };
    await page.waitForFunction(
      (count) => document.querySelectorAll('tbody tr').length === count,
      tasks.length,
    );
    await waitForText(page, '#viewer-summary', `2 of 2 agents answered · ${tasks.length} tasks`);
    const rows = await rowsOf(page);
    const shown = rows.map(([state, task]) => `${task} ${state?.split(' ')[0]}`);
    expect(shown.sort()).toEqual(tasks.map(({ task_id, state }) => `${task_id} ${state}`).sort());
    expect(rows[0]?.[0]).toBe('FAILED');
    expect(rows.at(-1)?.[0]).toBe('SUCCESS');
    expect(rows.find(([, task]) => task === ETL)).toEqual([
      'FAILED',
      ETL,
      'host-1',
      'www-data',
      '2/3',
      'load',
      expect.any(String),
    ]);
    // It asks the agents, and nobody else.
    const bases = [
      viewer,
      'data:',
      'about:srcdoc',
      ...cluster.agents.map((agent) => `${cluster.urlOf(agent)}/`),
    ];
    expect(heard.requests.filter((url) => !bases.some((base) => url.startsWith(base)))).toEqual([]);
    expect(heard.violations).toEqual([]);
    expect(await barriersIn(page)).toEqual([]);
  });

  test('has the tasks of the agents of a master, which a person types', async () => {
    const { page } = await open(viewer);
    await page.fill('#viewer-masters', cluster.url.replace('http://', ''));
    await page.click('text=Look');
    await waitForText(page, '#viewer-summary', '2 of 2 agents answered');
    expect(await page.evaluate(() => location.hash)).toBe(`#master=${cluster.url}`);
  });

  test('is searched and sorted', async () => {
    const { page } = await open(viewer + agentsHash());
    await isRead(page);
    await page.fill('#viewer-search', 'prod-web host-1 failed');
    await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 2);
    await page.fill('#viewer-search', '');
    await page.click('th button:text("Task")');
    await page.waitForSelector('th[aria-sort="ascending"]');
    const ids = async () => (await rowsOf(page)).map(([, task]) => task as string);
    const ascending = await ids();
    expect(ascending).toEqual([...ascending].sort());
    await page.click('th button:text("Task")');
    await page.waitForSelector('th[aria-sort="descending"]');
    expect(await ids()).toEqual([...ascending].reverse());
  });

  test('says which agents do not answer, and what the reason may be', async () => {
    const other = await serve((_, name) => `${name}({"not": "an agent"})`);
    const { page } = await open(`${viewer}${agentsHash()}&agent=${other}`);
    await waitForText(page, '#viewer-trouble', `${other} does not answer as an agent`);
    await waitForText(page, '#viewer-summary', '2 of 3 agents answered');
    await page.fill('#viewer-agents', 'http://root:secret@agent javascript:alert(1)');
    await page.click('text=Look');
    await waitForText(page, '#viewer-bad', 'Not an http or https address without a password');
  });
});

describe('the page of a task', () => {
  test('is that of report, with what inspect --json says, and leads back', async () => {
    const { page } = await open(viewer + agentsHash());
    await isRead(page);
    await page.click(`a:text-is("${ETL}")`);
    await page.waitForSelector('#viewer-task h1');
    expect(await page.title()).toBe(`FAILED · ${ETL}`);
    const shown = JSON.parse((await page.textContent('#data')) ?? '') as InspectDocument;
    const local = JSON.parse(
      thermos(['inspect', '--json', '--mesos-root', workDir, ETL]).stdout,
    ) as InspectDocument;
    // The program reads no log that only root could read, as here; an agent gives it.
    expect(shown.why).toContain('  | oops');
    expect(shown).toEqual({ ...local, problems: [], why: shown.why });
    await waitForText(page, '#viewer-task', 'oops');
    expect(await barriersIn(page)).toEqual([]);
    await page.click('text=All tasks');
    await page.waitForSelector('#viewer-table a');
    expect(await page.evaluate(() => location.hash)).toBe(agentsHash());
    await page.goBack();
    await page.waitForSelector('#viewer-task h1');
  });

  test('has every byte of its stream', async () => {
    const { page } = await open(viewer + agentsHash());
    await isRead(page);
    await page.click(`a:text-is("${SITE}")`);
    await page.waitForSelector('#data', { state: 'attached' });
    const { history } = JSON.parse((await page.textContent('#data')) ?? '') as InspectDocument;
    const bytes = Buffer.alloc(256);
    for (let i = 0; i < 32; i++)
      bytes.writeDoubleBE(Number(history[`${EVERY_BYTE}-${i}`]?.[0]?.fork_time), 8 * i);
    expect([...bytes]).toEqual(Array.from({ length: 256 }, (_, i) => i));
  });

  test('follows a task that runs, and keeps open what a person opened', async () => {
    const { page } = await open(viewer + agentsHash());
    await isRead(page);
    await page.click(`a:text-is("${SITE}")`);
    await page.waitForSelector('#viewer-task h1');
    expect(await page.title()).toBe(`ACTIVE · ${SITE}`);
    await page.evaluate(() => {
      for (const details of document.querySelectorAll('details')) details.open = true;
    });
    append(streamOf(SITE_RUN, SITE), [
      {
        type: 'task_status',
        value: { state: 'CLEANING', timestamp_ms: 1_795_286_400_000, runner_pid: 7, runner_uid: 0 },
      },
    ]);
    await page.waitForFunction(() => document.title.startsWith('CLEANING'));
    expect(
      await page.$$eval('#viewer-task details', (all) => all.every((each) => each.hasAttribute('open'))),
    ).toBe(true);
    await page.click('text=All tasks');
    await page.waitForFunction(
      (id) =>
        [...document.querySelectorAll('tbody tr')].some(
          ({ textContent }) => textContent?.startsWith('CLEANING') && textContent.includes(id),
        ),
      SITE,
    );
  });

  test('is opened by an address, and says if no agent has the task', async () => {
    const [agent] = cluster.agents;
    const task = encodeURIComponent(`x y ${SITE}`);
    const { page } = await open(
      `${viewer}#agent=${cluster.urlOf(agent as NonNullable<typeof agent>)}&task=${task}`,
    );
    await waitForText(page, '#viewer-task', 'None of the agents that were asked has this task');
  });
});

test('a report that a web server has is shown', async () => {
  const script = reportScript(reportOf('failed'));
  const server = await serve((path) => (path === '/report.js' ? script : 'thermosReport(17)'));
  const { page } = await open(`${viewer}#report=${server}/report.js`);
  await page.waitForSelector('#viewer-task h1');
  expect(await page.title()).toBe(`FAILED · ${ETL}`);
  await page.goto(`${viewer}#report=${server}/other.js`);
  await waitForText(page, '#viewer-task', 'There is no report at');
  await page.goto(`${viewer}#report=report.js`);
  await waitForText(page, '#viewer-task', 'A report on a disk is not loaded');
});

describe('a hostile agent', () => {
  const RUN = (i: number) => `/w/slaves/S/frameworks/F/executors/thermos-t${i}/runs/c${i}`;

  test('cannot reach the page, the answers of others or another address', async () => {
    const tries = [
      'parent.document.title = "stolen"',
      'parent.frames[0].document.title',
      'top.location = "http://127.0.0.1:9/"',
      'parent.location.hash = "#agent=http://127.0.0.1:9"',
      'location = "http://127.0.0.1:9/"',
      'alert(1)',
      'window.open("http://127.0.0.1:9/")',
      'for (let i = 0; i < 50; i++) parent.postMessage({ id: "t" + i, text: "{}" }, "*")',
      'for (const frame of [0, 1, 2]) parent.frames[frame]?.postMessage({ id: "x", address: "http://127.0.0.1:9/", charset: "utf-8" }, "*")',
      'fetch("http://127.0.0.1:9/").catch(() => {})',
      'localStorage.x = 1',
    ];
    const script = tries.map((each) => `try { ${each} } catch {}`).join(';');
    const base = await serve((path, name) => {
      const state = {
        pid: 'slave(1)',
        frameworks: [{ executors: [{ directory: RUN(0) }], completed_executors: [] }],
      };
      return `${script};${name}(${path === '/state' ? JSON.stringify(state) : '{"data":""}'});${script}`;
    });
    const { page, heard } = await open(`${viewer}${agentsHash()}&agent=${base}`);
    await waitForText(page, '#viewer-summary', '3 of 3 agents answered');
    await isRead(page);
    expect(await page.title()).toBe('Tasks · thermos');
    expect(page.url()).toBe(`${viewer}${agentsHash()}&agent=${base}`);
    expect((await rowsOf(page)).some(([, task]) => task === ETL)).toBe(true);
    expect(heard.dialogs).toEqual([]);
    expect(heard.requests.filter((url) => url.includes('127.0.0.1:9/'))).toEqual([]);
    expect(page.context().pages()).toHaveLength(1);
  });

  test('is shown what it says, as text', async () => {
    const base = await serve((path, name) => {
      // No name of a directory has a slash, or a character that no text has.
      const names = HOSTILE.map((text) => text.replace(/[\0/]|\p{Cs}/gu, '').slice(0, 80));
      const executors = names.map((each, i) => ({ directory: RUN(i).replace(`t${i}`, `${each}${i}`) }));
      const state = {
        pid: 'slave(1)',
        hostname: HOSTILE.join(' '),
        frameworks: [{ executors, completed_executors: [] }],
      };
      const file = { name: HOSTILE[0], processes: HOSTILE.map((text) => ({ name: text, cmdline: text })) };
      const data = path.endsWith('read') ? JSON.stringify(file) : '';
      return `${name}(${JSON.stringify(path === '/state' ? state : { data })})`;
    });
    const { page, heard } = await open(`${viewer}#agent=${base}`);
    await isRead(page);
    await waitForText(page, '#viewer-table', '<img src=http:127.0.0.1:9x onerror=alert(2)>');
    await page.click('tbody a');
    await page.waitForFunction(
      () => document.querySelector('#viewer-task')?.textContent !== 'Reading the task…',
    );
    expect(heard.dialogs).toEqual([]);
    expect(heard.violations).toEqual([]);
    expect(heard.requests.filter((url) => url.includes('127.0.0.1:9/'))).toEqual([]);
    expect(await page.$$('#viewer-list img, #viewer-task img, #viewer-table script')).toEqual([]);
  });
});
