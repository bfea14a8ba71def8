import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A task as a test has it. */
export interface Task {
  id: string;
  /** `role/environment/job/instance` */
  key: string;
  status?: string;
  /** Of the agent that has it. */
  agentId?: string;
  host?: string;
  message?: string;
}

/** A scheduler of Aurora, as far as it tells where tasks are. */
export interface Scheduler {
  url: string;
  tasks: Task[];
  /** `HOST:PORT` of the one that leads: this one, unless a test names another, or `undefined` while there is none. */
  leader: string | undefined;
  /** What it was asked, oldest first: the path, the body, and who asks. */
  calls: { path: string; body: string; authorization: string | undefined }[];
  /** The text that it answers instead of its own. */
  instead: string | undefined;
  close: () => Promise<void>;
}

export async function startScheduler(tasks: readonly Task[]): Promise<Scheduler> {
  const server = createServer((request, response) => void respond(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const scheduler: Scheduler = {
    url: `http://127.0.0.1:${port}`,
    tasks: [...tasks],
    leader: 'self',
    calls: [],
    instead: undefined,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  const respond = async (request: IncomingMessage, response: ServerResponse) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const body = Buffer.concat(parts).toString('utf8');
    const { url: path = '', headers } = request;
    scheduler.calls.push({ path, body, authorization: headers.authorization });
    // The API as JSON is not among the paths that lead to the leader.
    if (path.startsWith('/quotas')) {
      if (scheduler.leader === undefined) response.writeHead(503).end('<html>');
      else if (scheduler.leader !== 'self') {
        response.writeHead(307, { Location: `http://${scheduler.leader}${path}` }).end();
      } else response.writeHead(200, { 'Content-Type': 'application/json' }).end('{}');
    } else if (scheduler.instead !== undefined) response.end(scheduler.instead);
    else if (path !== '/apibeta/getTasksWithoutConfigs' || request.method !== 'POST')
      response.writeHead(404).end();
    else if (scheduler.leader !== 'self') response.writeHead(500).end();
    else {
      const { query } = JSON.parse(body) as { query: Query };
      const found = scheduler.tasks.filter((task) => isMeant(task, query)).map(gson);
      const result = { scheduleStatusResult: { tasks: found } };
      response.writeHead(200, { 'Content-Type': 'application/json' });
      response.end(JSON.stringify({ responseCode: 'OK', serverInfo: {}, result, details: [] }));
    }
  };
  return scheduler;
}

interface Query {
  role?: string;
  environment?: string;
  jobName?: string;
  instanceIds?: number[];
  taskIds?: string[];
}

function isMeant({ id, key }: Task, { role, environment, jobName, instanceIds, taskIds }: Query): boolean {
  if (taskIds !== undefined && !taskIds.includes(id)) return false;
  const parts = key.split('/');
  const instance = parts.pop();
  // What is not asked for is not looked at.
  if (![role, environment, jobName].every((part, i) => part === undefined || part === parts[i])) return false;
  return instanceIds === undefined || instanceIds.includes(Number(instance));
}

function gson({ id, key, status = 'RUNNING', agentId, host, message }: Task) {
  return {
    assignedTask: {
      taskId: id,
      ...(agentId === undefined ? {} : { slaveId: agentId, slaveHost: host }),
      task: {},
      assignedPorts: {},
      instanceId: Number(key.split('/').at(-1)),
    },
    status,
    failureCount: 0,
    taskEvents: [{ timestamp: 1_604_400_000_000, status, message }],
  };
}
