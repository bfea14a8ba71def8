// A server of many agents of Mesos, in memory: node agents-server.mjs AGENTS TASKS FIXTURES
//
// Each agent has TASKS tasks of the fixtures under ids of its own, a third of them active, at /agent/ID/. Prints its port.
// /calls: what was asked since the last time; /count: how often. Each answer is made once, so that the server is not what all
// wait for. /grow?part=N: one active task of each N gets some bytes more.

import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

const [agents, tasks] = process.argv.slice(2, 4).map(Number);
const fixtures = process.argv[4] ?? '';

const AGENT = '6d1ec2e6-7b1a-4f0d-9a57-3a0f4a0c1c2e-S0';
const FRAMEWORK = 'b9cc1a4b-5a0d-4b1e-8c0f-0d8ae1d3f7a2-0000';
const ACTIVE = '1412345678901-www-data-prod-site-4-ea0c7ddc-e10c-56ed-8143-1cf3c547034e';
const FINISHED = 'www-data-devel-etl-3-3a5f92b5-1098-5286-a2b6-31e2e1a08f5d';
/** As the streams of the two have recorded them: ids are replaced by others of the same length. */
const WORK_DIRS = ['/var/tmp/corpus/public/mesos-live/mesos', '/var/tmp/corpus/public/mesos-failed/mesos'];
const MTIME = 1_700_000_000;

const templates = [ACTIVE, FINISHED].map((id, i) => {
  const runs = join(
    fixtures,
    'mesos',
    'slaves',
    AGENT,
    'frameworks',
    FRAMEWORK,
    'executors',
    `thermos-${id}`,
    'runs',
  );
  const container = readdirSync(runs).find((name) => name !== 'latest') ?? '';
  const files = new Map();
  const directories = new Map();
  const walk = (path) => {
    const entries = readdirSync(join(runs, container, path), { withFileTypes: true });
    directories.set(path, entries.map((entry) => entry.name).sort());
    for (const entry of entries) {
      const below = path === '' ? entry.name : `${path}/${entry.name}`;
      if (entry.isDirectory()) walk(below);
      else if (entry.isFile())
        files.set(below, readFileSync(join(runs, container, below)).toString('latin1'));
    }
  };
  walk('');
  return { id, workDir: WORK_DIRS[i], container, files, directories };
});

const hex = (number, digits) => number.toString(16).padStart(digits, '0');
const isActive = (task) => task % 3 === 0;
const templateOf = (task) => templates[isActive(task) ? 0 : 1];
const agentIdOf = (agent) => `${AGENT.slice(0, -15)}${hex(agent, 12)}-S0`;
const taskIdOf = (agent, task) => `${templateOf(task).id.slice(0, -12)}${hex(agent, 8)}${hex(task, 4)}`;
const directoryOf = (agent, task) =>
  `${templateOf(task).workDir}/slaves/${agentIdOf(agent)}/frameworks/${FRAMEWORK}/executors/thermos-${taskIdOf(agent, task)}/runs/${templateOf(task).container}`;

const resources = { cpus: 0.25, disk: 128, gpus: 0, mem: 128, ports: '[31000-31002]' };

function stateOf(agent) {
  const executor = (task) => {
    const id = taskIdOf(agent, task);
    const own = {
      id,
      name: 'web',
      framework_id: FRAMEWORK,
      executor_id: `thermos-${id}`,
      slave_id: agentIdOf(agent),
      state: isActive(task) ? 'TASK_RUNNING' : 'TASK_FAILED',
      resources,
      statuses: [{ state: 'TASK_RUNNING', timestamp: MTIME + 0.5 }],
    };
    return {
      id: `thermos-${id}`,
      name: 'AuroraExecutor',
      source: 'www-data.prod.web.0',
      container: templateOf(task).container,
      directory: directoryOf(agent, task),
      resources,
      tasks: isActive(task) ? [own] : [],
      queued_tasks: [],
      completed_tasks: isActive(task) ? [] : [own],
    };
  };
  const all = Array.from({ length: tasks }, (_, task) => task);
  return JSON.stringify({
    version: '1.11.0',
    id: agentIdOf(agent),
    pid: 'slave(1)@127.0.0.1:5051',
    hostname: `agent-${agent}`,
    resources,
    flags: { work_dir: WORK_DIRS[0] },
    frameworks: [
      {
        id: FRAMEWORK,
        name: 'aurora',
        user: 'root',
        executors: all.filter(isActive).map(executor),
        completed_executors: all.filter((task) => !isActive(task)).map(executor),
      },
    ],
    completed_frameworks: [],
  });
}

/** How many bytes more than at first the stream of a task has, by its id. */
const grown = new Map();
/** The beginning of a record that is not whole yet. */
const GROWTH = '\0\0\0\x40';

function grow(part) {
  let count = 0;
  for (let agent = 0; agent < agents; agent++) {
    for (let task = 0; task < tasks; task += 3) {
      if (count++ % part !== 0) continue;
      const id = taskIdOf(agent, task);
      if (!grown.has(id)) grown.set(id, GROWTH);
    }
  }
}

const PATH = /\/slaves\/([^/]+)\/frameworks\/[^/]+\/executors\/thermos-([^/]+)\/runs\/[^/]+\/?(.*)$/;

/** What there is at a path: a listing, the bytes of a file, or nothing. */
function at(path) {
  const [, agentId, id, rest] = PATH.exec(path) ?? [];
  const template = templates.find((each) => id?.startsWith(each.id.slice(0, -12)));
  if (template === undefined) return {};
  const [shown, own] = [
    (text) => text.replaceAll(template.id, id).replaceAll(AGENT, agentId),
    rest.replaceAll(id, template.id),
  ];
  const bytesOf = (name) =>
    `${shown(template.files.get(name))}${name.endsWith('/runner') ? (grown.get(id) ?? '') : ''}`;
  const names = template.directories.get(own);
  if (names === undefined) return template.files.has(own) ? { bytes: bytesOf(own) } : {};
  const listing = names.map((name) => {
    const below = own === '' ? name : `${own}/${name}`;
    const isFile = template.files.has(below);
    const size = isFile ? bytesOf(below).length : 4096;
    const mode = isFile ? '-rw-r--r--' : 'drwxr-xr-x';
    return { gid: 'root', mode, mtime: MTIME, nlink: 1, path: `${path}/${shown(name)}`, size, uid: 'root' };
  });
  return { listing };
}

let calls = [];

function answer(request, response, body) {
  const [path, query = ''] = request.url.split('?');
  const parameters = new URLSearchParams(query);
  if (path === '/calls' || path === '/count') {
    response.end(JSON.stringify(path === '/calls' ? { calls } : { count: calls.length }));
    calls = [];
    return;
  }
  if (path === '/grow') {
    grow(Number(parameters.get('part')));
    made.clear();
    response.end();
    return;
  }
  calls.push(body === '' ? [request.url] : [request.url, body]);
  const key = `${request.headers['accept-encoding']} ${request.url} ${body}`;
  let answer = made.get(key);
  if (answer === undefined) {
    answer = answerTo(request, path, parameters, body);
    made.set(key, answer);
  }
  response.writeHead(answer.status, answer.headers);
  response.end(answer.sent);
}

/** The answers of before, by what was asked. */
const made = new Map();

function answerTo(request, path, parameters, body) {
  const [, agent, endpoint] = /^\/agent\/(\d+)(\/.*)$/.exec(path) ?? [];
  let content;
  let type = 'application/json';
  if (endpoint === '/state') content = stateOf(Number(agent));
  else if (endpoint === '/api/v1') {
    const { path: file, offset, length = 65_536 } = JSON.parse(body).read_file;
    const found = at(file).bytes;
    const piece = Buffer.from(found?.slice(offset, offset + length) ?? '', 'latin1').toString('base64');
    content = found && JSON.stringify({ read_file: { data: piece, size: found.length }, type: 'READ_FILE' });
  } else {
    const found = at(parameters.get('path') ?? '');
    if (endpoint === '/files/browse') content = found.listing && JSON.stringify(found.listing);
    else {
      content = found.bytes;
      type = 'application/octet-stream';
    }
  }
  let sent = Buffer.from(content ?? '', 'latin1');
  const headers = { 'Content-Type': type };
  // As libprocess does it.
  if (sent.length >= 1024 && type === 'application/json' && request.headers['accept-encoding'] === 'gzip') {
    sent = gzipSync(sent);
    headers['Content-Encoding'] = 'gzip';
  }
  const status = content === undefined ? 404 : 200;
  return { status, headers: { ...headers, 'Content-Length': sent.length }, sent };
}

const server = createServer((request, response) => {
  let body = '';
  request.setEncoding('utf8');
  request.on('data', (part) => {
    body += part;
  });
  request.on('end', () => answer(request, response, body));
});
server.keepAliveTimeout = 0;
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') console.log(address.port);
});
process.stdin.on('end', () => process.exit()).resume();
