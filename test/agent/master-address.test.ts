import { expect, test } from 'vitest';
import { isPlace } from '../../src/agent/answers.js';
import { mayHoldSecret, withoutSecret } from '../../src/agent/master-address.js';

test.each([
  'http://me:S3CRET@m:5050',
  'me:S3CRET@m:5050',
  'http://a:5050,http://me:S3CRET@b:5050',
  'a:5050,me:S3CRET@b:5050',
  'http://me:S3CRET@a,http://me:S3CRET@b',
  'zk://me:S3CRET@zk:2181/mesos',
  'zk://me:S3/CRET@zk:2181/mesos',
])('the password in %s is seen, and not shown', (text) => {
  expect(mayHoldSecret(text)).toBe(true);
  expect(withoutSecret(text)).not.toMatch(/S3|CRET/);
});

test.each(['m:5050', 'http://m:5050/a', 'https://cluster/agent/a@b', 'zk://a:2181,b:2181/mesos'])(
  'there is no password in %s',
  (text) => {
    expect(mayHoldSecret(text)).toBe(false);
  },
);

test.each(['1.2.3.999:5051', 'host:99999', '[:::]:5051', 'host', 'a b:5051', 'me@host:5051'])(
  '%s is no place that can be asked',
  (text) => {
    expect(isPlace(text)).toBe(false);
  },
);

test.each(['host:5051', '1.2.3.4:5051', '[::1]:5051', 'a_b.c-d:1'])('%s is one', (text) => {
  expect(isPlace(text)).toBe(true);
});
