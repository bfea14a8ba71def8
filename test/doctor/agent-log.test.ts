import { describe, expect, test } from 'vitest';
import { refusalSymptom, startRefusalIn } from '../../src/doctor/agent-log.js';
import { MESOS_1_5 } from './logs.js';

const MESOS_0_28 = `Failed to perform recovery: Incompatible slave info detected.
------------------------------------------------------------
Old slave info:
hostname: "node-1"
New slave info:
hostname: "node-2"
------------------------------------------------------------
To remedy this do as follows:
Step 1: rm -f /tmp/mesos/meta/slaves/latest
        This ensures slave doesn't recover old live executors.
Step 2: Restart the slave.
`;

const refusalIn = (text: string) => startRefusalIn({ text, offset: 0 });

test('what changed, where the log says so, and what Mesos it is', () => {
  expect(refusalIn(MESOS_1_5)).toMatchObject({
    kind: 'incompatible-info',
    line: { line: 2 },
    workDir: '/var/lib/mesos',
    knowsPolicy: true,
    removed: ['attributes { name: "rack" text { value: "a" } }'],
    added: ['attributes { name: "rack" text { value: "b" } }', 'attributes { name: "host" }'],
  });
  expect(refusalIn(MESOS_0_28)).toMatchObject({
    kind: 'incompatible-info',
    workDir: '/tmp/mesos',
    knowsPolicy: false,
    removed: ['hostname: "node-1"'],
    added: ['hostname: "node-2"'],
  });
});

test('the remedy comes with its price, the cheap one first', () => {
  const refusal = refusalIn(MESOS_1_5);
  const { advice, evidence } = refusalSymptom(
    '/log',
    refusal as NonNullable<typeof refusal>,
    '/var/lib/mesos',
  );
  expect(advice).toEqual([
    'restore the old attributes, resources and host name: the agent then starts, and running tasks continue',
    'if something was only added, start it with --reconfiguration_policy=additive: nothing is lost',
    'or remove its identity, then start it as a new agent: rm -f /var/lib/mesos/meta/slaves/latest',
    'the cost: the agent gets a new id, all tasks still running on this host are killed and become LOST, and their sandboxes are kept only for gc_delay',
  ]);
  expect(evidence[0]).toMatchObject({ path: '/log', line: 2 });
});

describe('other reasons', () => {
  test.each([
    [
      'Failed to perform recovery: Checkpointed resources disk:1 are incompatible with agent resources disk:0',
      'incompatible-resources',
    ],
    [
      'Failed to perform recovery: Configuration change not permitted under `additive` policy: hostname',
      'incompatible-info',
    ],
    ['Failed to perform recovery: Failed to recover framework: cannot read x', 'recovery-failed'],
    [
      'Failed to create a containerizer: Could not create DockerContainerizer: Failed to create docker',
      'containerizer-failed',
    ],
  ])('%s', (text, kind) => {
    const refusal = refusalIn(text);
    expect(refusal?.kind).toBe(kind);
    const { what, advice } = refusalSymptom('/log', refusal as NonNullable<typeof refusal>, undefined);
    expect(what(1)).toContain('Mesos agent');
    expect(advice.length).toBeGreaterThan(0);
  });
});

test.each([
  `${MESOS_1_5}I1121 11:00:00 slave.cpp:6990] Finished recovery\n`,
  `${MESOS_1_5}I1121 11:00:00 slave.cpp:1100] Re-registered with master master@10.0.0.1:5050\n`,
  'Failed to find the latest agent from /var/lib/mesos/meta\nFinished recovery\n',
  '',
])('an agent that came up has nothing to explain', (text) => {
  expect(refusalIn(text)).toBeUndefined();
});
