import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { askForEndings } from '../../src/agent/ask-endings.js';
import { AgentClient, httpClient } from '../../src/agent/client.js';
import { parseEndings } from '../../src/agent/endings.js';
import { AgentTasks } from '../../src/agent/gatherer.js';
import { tempDir } from '../e2e/harness.js';
import { launchTask } from './launch.js';
import { startAgent } from './serve.js';

const MEMORY = 'REASON_CONTAINER_LIMITATION_MEMORY';

describe('the answer of an agent', () => {
  const answer = (fields: object) => parseEndings({ type: 'GET_TASKS', get_tasks: fields });
  const task = (id: string, ...statuses: object[]) => ({ task_id: { value: id }, statuses });

  test('has the last status of each task that is over', () => {
    const endings = answer({
      launched_tasks: [task('runs', { reason: MEMORY })],
      terminated_tasks: [
        task('just', { state: 'TASK_RUNNING' }, { reason: MEMORY, message: 'm', timestamp: 1.5 }),
      ],
      completed_tasks: [
        task('by-itself', { state: 'TASK_FINISHED' }),
        task('none'),
        task('other', { reason: 'R' }),
      ],
    });
    expect([...(endings ?? [])]).toEqual([
      ['just', { reason: MEMORY, message: 'm', timeMs: 1500 }],
      ['other', { reason: 'R', message: '', timeMs: undefined }],
    ]);
  });

  test('may have no task: the protocol leaves out empty lists', () => {
    expect(answer({})).toEqual(new Map());
  });

  test('never fails, whatever it is, and is no answer without the field', () => {
    expect(parseEndings({ get_state: {} })).toBeUndefined();
    expect(parseEndings([])).toBeUndefined();
    fc.assert(fc.property(fc.jsonValue(), (value) => void parseEndings(value)));
    const odd = fc.dictionary(
      fc.constantFrom('task_id', 'statuses', 'value', 'reason', 'timestamp'),
      fc.anything(),
    );
    fc.assert(fc.property(fc.array(odd), (list) => answer({ completed_tasks: list }) instanceof Map));
  });

  test('is bounded', () => {
    const long = task('a', { reason: MEMORY, message: 'x'.repeat(1_000_000) });
    expect(answer({ completed_tasks: [long] })?.get('a')?.message.length).toBe(4096);
  });
});

describe.each(['0.28.0', '1.0.0', '1.1.0', '1.11.0'])('an agent of Mesos %s', (version) => {
  const isTold = !version.startsWith('0.') && version !== '1.0.0';

  async function start() {
    const temp = tempDir();
    const { agent, url, close } = await startAgent({ id: 'S0', version, workDir: temp.path });
    const http = httpClient({});
    onTestFinished(async () => {
      http.close();
      await close();
      temp.remove();
    });
    for (const id of ['a', 'b']) launchTask(agent, id, {}, false);
    agent.knobs.ending = ({ containerId }) => (containerId === 'a' ? { reason: MEMORY, message: 'm' } : {});
    const agents = new AgentTasks([new AgentClient(url, http, Date.now)], Date.now);
    const { selected } = await agents.find([], 'look');
    return { agent, url, ask: () => askForEndings(agents, selected) };
  }

  test('is asked once why its tasks ended, if it can tell it', async () => {
    const { agent, ask } = await start();
    agent.calls.splice(0);
    const { endings, problems } = await ask();
    expect([[...endings.keys()], problems]).toEqual([isTold ? ['a'] : [], []]);
    expect(agent.calls.length).toBeLessThanOrEqual(1);
  });

  test.runIf(isTold)('that refuses is a problem', async () => {
    const { agent, url, ask } = await start();
    agent.knobs.credentials = { principal: 'me', secret: 's' };
    agent.knobs.asksIn = 'readwrite';
    expect(await ask()).toMatchObject({
      endings: new Map(),
      problems: [{ code: 'agent-unauthorized', agent: url }],
    });
  });
});
