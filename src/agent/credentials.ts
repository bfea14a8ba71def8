import { UsageError } from '../errors/errors.js';
import { fieldsIn } from './json-answer.js';

/**
 * The header `Authorization` that credentials in a file mean: `{"principal","secret"}`, `{"credentials":[{"principal",
 * "secret"}]}` as Mesos has them, or `{"token"}` as DC/OS does; with `"type":"bearer"`, a token is one for a proxy that
 * wants it so. Throws UsageError, which names the file and nothing that is in it. Pure.
 */
export function authorizationIn(text: string, path: string): string {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw invalid(path, 'is not JSON');
  }
  const { credentials, token, type, ...own } = fieldsIn(json);
  if (typeof token === 'string') {
    if (!PLAIN.test(token)) throw invalid(path, 'has a token of the wrong form');
    return type === 'bearer' ? `Bearer ${token}` : `token=${token}`;
  }
  if (Array.isArray(credentials) && credentials.length > 1) {
    throw invalid(path, `has ${credentials.length} credentials: keep only yours`);
  }
  const { principal, secret } = Array.isArray(credentials) ? fieldsIn(credentials[0]) : own;
  if (typeof principal !== 'string' || typeof secret !== 'string') throw invalid(path, 'has no credentials');
  // Agents cut the two at each colon.
  if (`${principal}${secret}`.includes(':'))
    throw invalid(path, 'has a colon in principal or secret: no agent accepts that');
  return `Basic ${Buffer.from(`${principal}:${secret}`).toString('base64')}`;
}

/** What may stand in a header. */
const PLAIN = /^[\x21-\x7e]+$/;

function invalid(path: string, what: string): UsageError {
  const forms = '{"principal":…,"secret":…}, {"credentials":[{"principal":…,"secret":…}]} or {"token":…}';
  return new UsageError('credentials-invalid', `${path} ${what}`, `it must hold one of ${forms}`);
}
