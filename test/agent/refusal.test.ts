import fc from 'fast-check';
import { expect, test } from 'vitest';
import { commonRefusal } from '../../src/agent/refusal.js';

const PAGE = '<!DOCTYPE html><h1>503 Service Unavailable</h1>';
const words = { what: 'its state', notYet: 'it has not recovered yet' };

function refused(status: number, body = '', headers: Record<string, string> = {}, sayWho?: string) {
  const failure = commonRefusal({ status, headers, body: Buffer.from(body) }, { ...words, sayWho });
  return failure && { kind: failure.kind, message: failure.message, hint: failure.hint };
}

test.each([
  [503, 'Agent has not finished recovery', {}, 'recovering', 'it has not recovered yet'],
  [503, 'No leader elected', { 'content-type': 'text/plain' }, 'recovering', 'it has not recovered yet'],
  [503, '', {}, 'unreachable', 'it is not available now (503)'],
  [503, PAGE, {}, 'unreachable', 'the proxy before it cannot reach it (503)'],
  [
    503,
    'no leader',
    { 'content-type': 'text/html' },
    'unreachable',
    'the proxy before it cannot reach it (503)',
  ],
  [502, '', {}, 'unreachable', 'the proxy before it cannot reach it (502)'],
  [504, PAGE, {}, 'unreachable', 'the proxy before it cannot reach it (504)'],
  [403, '', {}, 'forbidden', 'it forbids its state'],
  [401, '', { 'www-authenticate': 'Basic realm="r"' }, 'unauthorized', 'it asks for credentials (realm r)'],
])('%d with %j and %j is %s: %s', (status, body, headers, kind, message) => {
  expect(refused(status, body, headers as Record<string, string>)).toMatchObject({ kind, message });
});

test('each says what to try, and who is asked may have another way to learn who asks', () => {
  for (const status of [401, 403, 502, 503, 504]) expect(refused(status)?.hint).toBeTruthy();
  expect(refused(401, '', {}, 'name the master')?.hint).toBe('name the master');
});

test('any other status depends on who is asked', () => {
  const others = fc
    .integer({ min: 100, max: 599 })
    .filter((status) => ![401, 403, 502, 503, 504].includes(status));
  fc.assert(fc.property(others, fc.string(), (status, body) => refused(status, body) === undefined));
});
