import { expect, test } from 'vitest';
import { type AccessFacts, checkDiscovery } from '../../src/doctor/check-access.js';
import type { Problem } from '../../src/errors/problem.js';

const NOTHING: AccessFacts = { roots: {}, access: [], workDirs: [], trees: new Set() };
const RUN = '/mesos/slaves/S0/frameworks/F/executors/thermos-t/runs/C';
const CLOSED: Problem = {
  code: 'sandbox-unreadable',
  severity: 'error',
  message: 'cannot look into 1 sandbox below /mesos: permission denied',
  path: '/mesos',
  hint: 'run it again with sudo',
};
const access = (owner: string) => [{ path: RUN, mode: 'drwxr-x---', owner, group: 'root' }];

test('a sandbox of root: only root may enter', () => {
  const [symptom] = checkDiscovery([CLOSED], { ...NOTHING, access: access('root') });
  expect(symptom).toMatchObject({
    severity: 'error',
    evidence: [{ path: RUN, text: 'drwxr-x--- root:root' }],
  });
  expect(symptom?.advice).toEqual([
    'run it again with sudo',
    "Mesos 1.6 and later restrict 1 sandbox to root; Aurora 0.21 and later give each one to its task's user",
  ]);
});

test('a sandbox of its user: that user may enter too', () => {
  const [symptom] = checkDiscovery([CLOSED], { ...NOTHING, access: access('www-data') });
  expect(symptom?.advice).toEqual([
    'run it again with sudo',
    "or run it as the task's user: sudo -u www-data thermos doctor",
  ]);
});

test('permissions of directories elsewhere are not part of its evidence', () => {
  const [symptom] = checkDiscovery([{ ...CLOSED, path: '/other' }], { ...NOTHING, access: access('root') });
  expect(symptom?.evidence).toEqual([{ path: '/other', text: 'cannot be read' }]);
});

test('a default place that cannot be seen is not a fault', () => {
  const problem: Problem = { ...CLOSED, code: 'root-unreadable', severity: 'warning' };
  expect([...checkDiscovery([problem], NOTHING)]).toMatchObject([{ severity: 'note' }]);
});

test('an agent without tasks is not a fault', () => {
  const problem: Problem = { code: 'root-empty', severity: 'warning', message: 'no sandbox', path: '/mesos' };
  expect([...checkDiscovery([problem], { ...NOTHING, trees: new Set(['/mesos']) })]).toEqual([]);
  expect([...checkDiscovery([problem], NOTHING)]).toHaveLength(1);
});
