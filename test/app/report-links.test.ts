import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  agentOfEnvironment,
  recordedAgents,
  reportLinks,
  serverAddress,
} from '../../src/app/report-links.js';
import type { TaskRoot } from '../../src/discovery/found.js';
import { placeForEach } from '../e2e/harness.js';

const RUN = '/var/lib/mesos/slaves/S 0/frameworks/F/executors/E/runs/C';
const MESOS = { agent_id: 'S 0', framework_id: 'F', executor_id: 'E', container_id: 'C' };
const ROOT: TaskRoot = {
  path: `${RUN}/checkpoints`,
  layout: 'mesos',
  source: 'test',
  readable: true,
  mesos: MESOS,
  run_dir: RUN,
};
const SANDBOX = { path: `${RUN}/sandbox`, recorded: `${RUN}/sandbox`, found: true };
const LOG = {
  process: 'a&b',
  run: 0,
  stream: 'stdout' as const,
  path: `${RUN}/sandbox/.logs/a&b/0/stdout`,
  bytes: 1,
};
const BOTH = { agentOf: () => 'http://agent:5051', masterUrl: 'http://master:5050' };

describe('the links of a report', () => {
  test('lead to the download of each log and to the sandbox, encoded', () => {
    expect(reportLinks({ mesos: MESOS, root: ROOT, sandbox: SANDBOX }, [LOG], BOTH)).toEqual({
      browse:
        'http://master:5050/#/agents/S%200/browse?path=%2Fvar%2Flib%2Fmesos%2Fslaves%2FS%200%2Fframeworks%2FF%2Fexecutors%2FE%2Fruns%2FC%2Fsandbox',
      downloads: {
        [LOG.path]:
          'http://agent:5051/files/download?path=%2Fvar%2Flib%2Fmesos%2Fslaves%2FS%200%2Fframeworks%2FF%2Fexecutors%2FE%2Fruns%2FC%2Fsandbox%2F.logs%2Fa%26b%2F0%2Fstdout',
      },
    });
  });

  test('are only those that are known, and none for a task that is not of Mesos', () => {
    const view = { mesos: MESOS, root: ROOT, sandbox: { ...SANDBOX, found: false } };
    expect(reportLinks(view, [LOG], {})).toBeUndefined();
    expect(reportLinks(view, [], { masterUrl: 'http://m' })).toEqual({
      browse: `http://m/#/agents/S%200/browse?path=${encodeURIComponent(RUN)}`,
    });
    const { mesos: _, run_dir: __, ...host } = ROOT;
    expect(reportLinks({ root: host, sandbox: SANDBOX }, [LOG], BOTH)).toBeUndefined();
  });
});

describe('the address of a server', () => {
  test.each([
    ['http://agent:5051', 'http://agent:5051'],
    ['https://AGENT/mesos//', 'https://agent/mesos'],
    ['http://[::1]:5051/?q#f', 'http://[::1]:5051'],
  ])('%s', (text, address) => {
    expect(serverAddress(text, 'agent-url')).toBe(address);
  });

  test.each(['agent:5051', 'javascript:alert(1)', 'file:///etc', 'http://', '', '//agent'])(
    'not %s',
    (text) => {
      expect(() => serverAddress(text, 'agent-url')).toThrow('--agent-url takes an http or https address');
    },
  );

  test('has no password', () => {
    expect(() => serverAddress('http://me:secret@agent', 'agent-url')).toThrow(
      'must hold no user or password',
    );
  });

  test('of the agent around an executor is in its environment', () => {
    expect(agentOfEnvironment({ MESOS_AGENT_ENDPOINT: '10.0.0.7:5051' })).toBe('http://10.0.0.7:5051');
    expect(
      agentOfEnvironment({ MESOS_AGENT_ENDPOINT: '10.0.0.7:5051', LIBPROCESS_SSL_ENABLED: 'true' }),
    ).toBe('https://10.0.0.7:5051');
    expect(agentOfEnvironment({})).toBeUndefined();
    expect(agentOfEnvironment({ MESOS_AGENT_ENDPOINT: 'a b' })).toBeUndefined();
  });
});

describe('what an agent recorded about itself', () => {
  const place = placeForEach();

  /** A message of mesos.proto in a file, as the agent writes it. */
  function writeInfo(agent: string, hostname: string, port?: number): TaskRoot {
    const name = Buffer.from(hostname);
    const fields = [Buffer.from([(1 << 3) | 2, name.length]), name];
    // A varint: seven bits in each byte.
    if (port !== undefined) fields.push(Buffer.from([8 << 3, (port & 0x7f) | 0x80, port >> 7]));
    const message = Buffer.concat(fields);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(message.length);
    const directory = join(place.path, 'meta/slaves', agent);
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, 'slave.info'), Buffer.concat([length, message]));
    const run_dir = join(place.path, `slaves/${agent}/frameworks/F/executors/E/runs/C`);
    return { ...ROOT, mesos: { ...MESOS, agent_id: agent }, run_dir };
  }

  test('is its address; the port of Mesos if it recorded none', () => {
    const addressOf = recordedAgents();
    expect(addressOf(writeInfo('S0', 'node-1.example.com', 5052))).toBe('http://node-1.example.com:5052');
    expect(addressOf(writeInfo('S1', 'node-2'))).toBe('http://node-2:5051');
  });

  test('is not used if it is not a name, or not there', () => {
    const addressOf = recordedAgents();
    expect(addressOf(writeInfo('S0', 'a b/"<>'))).toBeUndefined();
    expect(addressOf({ ...writeInfo('S1', 'node'), run_dir: undefined })).toBeUndefined();
    expect(
      addressOf({ ...ROOT, run_dir: join(place.path, 'slaves/S9/frameworks/F/executors/E/runs/C') }),
    ).toBeUndefined();
  });
});
