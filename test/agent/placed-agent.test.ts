import { expect, test } from 'vitest';
import { AgentFailure } from '../../src/agent/failure.js';
import type { AgentPort } from '../../src/agent/gatherer.js';
import { PlacedAgent } from '../../src/agent/placed-agent.js';

/** An agent that cannot be reached, or has another failure, or answers. */
function port(base: string, answer: { failure?: AgentFailure; asked?: string[] }): AgentPort {
  return {
    base,
    state: async () => {
      answer.asked?.push(base);
      if (answer.failure !== undefined) throw answer.failure;
      return { state: { id: 'S0', hostname: '', version: '', runs: [], leftOut: 0 } };
    },
    statistics: async () => ({ containers: [], leftOut: 0 }),
    endings: async () => new Map(),
    list: async () => ({ entries: [], complete: true }),
    read: async () => Buffer.from(base),
  };
}

const gone = () => ({ failure: new AgentFailure('unreachable', 'gone', 'look') });

test('an agent is asked at the first of its addresses that answers, from then on', async () => {
  const name = gone();
  const asked: string[] = [];
  const agent = new PlacedAgent([port('http://name', { ...name, asked }), port('http://ip', { asked })]);
  expect(agent.base).toBe('http://name');
  await agent.state();
  await agent.state();
  expect(agent.base).toBe('http://ip');
  expect(asked).toEqual(['http://name', 'http://ip', 'http://ip']);
  expect(String(await agent.read('/x', 0, 1))).toBe('http://ip');
});

test('one that answers at none says why of each, and is known by the first', async () => {
  const agent = new PlacedAgent([port('http://name', gone()), port('http://ip', gone())]);
  await expect(agent.state()).rejects.toMatchObject({
    kind: 'unreachable',
    message: 'gone; at http://ip, gone',
    hint: 'look',
  });
  expect(agent.base).toBe('http://name');
});

test('one that has answered stays known by that address while it does not answer', async () => {
  const name = gone();
  const ip: { failure?: AgentFailure } = {};
  const agent = new PlacedAgent([port('http://name', name), port('http://ip', ip)]);
  await agent.state();
  ip.failure = new AgentFailure('unreachable', 'away');
  await expect(agent.state()).rejects.toMatchObject({ message: 'away; at http://name, gone' });
  expect(agent.base).toBe('http://ip');
});

test('another failure is that of the agent', async () => {
  const failure = new AgentFailure('recovering', 'not yet');
  const agent = new PlacedAgent([port('http://name', { failure }), port('http://ip', {})]);
  await expect(agent.state()).rejects.toBe(failure);
});

test('what is known of a directory is passed on, so that it need not be read again', async () => {
  const listing = { entries: [], complete: true, raw: '[]' };
  const kept = { ...port('http://ip', {}), list: async (_: string, __?: boolean, known = listing) => known };
  const agent = new PlacedAgent([kept]);
  const known = { ...listing };
  expect(await agent.list('/x', true, known)).toBe(known);
});
