import { expect, test } from 'vitest';
import { accessFlags } from '../../src/cli/agent-access.js';

test('the flags of agents, for any directory; those that only choose agents are not among them', () => {
  const flags = {
    agent: ['a'],
    'credentials-file': 'me.json',
    ca: '/etc/ca.pem',
    cert: '../c.pem',
    key: 'k.pem',
    insecure: true,
  };
  expect(accessFlags(flags, '/home/me')).toEqual([
    ...['--credentials-file', '/home/me/me.json', '--ca', '/etc/ca.pem', '--cert', '/home/me/../c.pem'],
    ...['--key', '/home/me/k.pem', '--insecure'],
  ]);
  expect(accessFlags({ agent: ['a'], 'agent-address': 'ip' }, '/')).toEqual([]);
  expect(accessFlags({ master: ['m'], 'agent-address': 'ip' }, '/')).toEqual(['--agent-address', 'ip']);
});
