import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { serverAddress } from '../../../src/agent/address.js';
import { addressesIn, hashOf, wantedBy } from '../../../src/report/viewer/address.js';

test.each([
  ['agent-1', 'http://agent-1:5051'],
  ['agent-1:8080', 'http://agent-1:8080'],
  ['10.0.0.1:5051/', 'http://10.0.0.1:5051'],
  ['http://agent-1:5051/', 'http://agent-1:5051'],
  ['https://cluster/agent/S0/', 'https://cluster/agent/S0'],
  ['cluster/agent/S0', 'http://cluster:5051/agent/S0'],
  ['[::1]:5051', 'http://[::1]:5051'],
])('%s is the address %s', (word, address) => {
  expect(serverAddress(word, '5051')).toBe(address);
});

test.each([
  'javascript:alert(1)',
  'http://',
  'http://root:secret@agent-1',
  'file:///etc',
  'data:text/html,x',
  'a b',
  '',
])('%j is not an address', (word) => {
  expect(serverAddress(word, '5051')).toBeUndefined();
});

test('a field has several addresses, and what is none', () => {
  expect(addressesIn(' a, b:1\n a ftp://x ', 'agent')).toEqual({
    good: ['http://a:5051', 'http://b:1'],
    bad: ['ftp://x'],
  });
  expect(addressesIn('m', 'master').good).toEqual(['http://m:5050']);
});

describe('the part of an address after #', () => {
  test('says what is asked, and what is shown', () => {
    expect(wantedBy('#agent=http://a:5051&agent=b&master=m&task=x%20y')).toEqual({
      agents: ['http://a:5051', 'http://b:5051'],
      masters: ['http://m:5050'],
      task: 'x y',
      report: undefined,
    });
  });

  test.each([
    ['task/web-0/report.js', 'task/web-0/report.js'],
    [
      'http://agent:5051/files/download?path=/x/report.js',
      'http://agent:5051/files/download?path=/x/report.js',
    ],
    ['javascript:alert(1)', undefined],
    ['data:text/javascript,x', undefined],
    ['file:///tmp/report.js', undefined],
    ['//server/report.js', '//server/report.js'],
  ])('names the report %s', (report, wanted) => {
    expect(wantedBy(`#report=${encodeURIComponent(report)}`).report).toBe(wanted);
  });

  test('is the same after it was written again', () => {
    fc.assert(
      fc.property(
        fc.array(fc.webUrl({ size: 'xsmall' }), { maxLength: 3 }),
        fc.option(fc.string(), { nil: undefined }),
        (urls, task) => {
          const agents = addressesIn(urls.join(' '), 'agent').good;
          const wanted = { agents, masters: [], task, report: undefined };
          expect(wantedBy(hashOf(wanted))).toEqual(wanted);
        },
      ),
    );
  });
});
