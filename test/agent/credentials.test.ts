import { expect, test } from 'vitest';
import { authorizationIn } from '../../src/agent/credentials.js';

const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;

test.each([
  [{ principal: 'me', secret: 'x y' }, basic('me:x y')],
  [{ credentials: [{ principal: 'me', secret: 'é' }] }, basic('me:é')],
  [{ token: 'eyJ.a.b' }, 'token=eyJ.a.b'],
  [{ token: 'eyJ.a.b', type: 'bearer' }, 'Bearer eyJ.a.b'],
])('%j', (json, header) => {
  expect(authorizationIn(JSON.stringify(json), '/c')).toBe(header);
});

test.each([
  ['{', '/c is not JSON'],
  ['null', '/c has no credentials'],
  ['[]', '/c has no credentials'],
  ['{"credentials":[]}', '/c has no credentials'],
  ['{"principal":"me"}', '/c has no credentials'],
  ['{"principal":"me","secret":7}', '/c has no credentials'],
  [
    '{"principal":"me","secret":"never:shown"}',
    '/c has a colon in principal or secret: no agent accepts that',
  ],
  ['{"token":"never shown\\r\\nX: y"}', '/c has a token of the wrong form'],
  ['{"credentials":[{},{}]}', '/c has 2 credentials: keep only yours'],
])('%s is refused, and not shown', (text, message) => {
  const error = (() => {
    try {
      return authorizationIn(text, '/c');
    } catch (thrown) {
      return thrown as Error & { hint: string };
    }
  })();
  expect(error).toMatchObject({ code: 'credentials-invalid', message });
  expect(`${(error as Error).stack} ${(error as { hint: string }).hint}`).not.toContain('never');
});
