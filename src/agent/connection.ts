import { size } from '../text/size.js';
import { AgentFailure } from './failure.js';

/** The other end closed the connection, which may go well the next time. */
const BROKEN: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'ENOTCONN']);

/** What came is no answer of HTTP. */
export class NotHttp extends Error {}

export function tooLong(most: number): AgentFailure {
  return new AgentFailure('odd', `its answer is longer than ${size(most)}`, 'is the address right?');
}

/** A failure of a connection that broke. */
class BrokenConnection extends AgentFailure {}

export function isBroken(error: unknown): boolean {
  return error instanceof BrokenConnection;
}

/**
 * The failure of a server to which another one has redirected. `call`: what it was asked for. Only a server that was named
 * learns who asks. Pure.
 */
export function failedElsewhere(failure: AgentFailure, url: string, call: string): AgentFailure {
  const { kind, message, hint } = failure;
  const there = url.endsWith(call) ? url.slice(0, -call.length) : url;
  const told = `it redirects to ${there}, and there: ${message}`;
  const elsewhere = kind === 'unauthorized' ? `only who is named learns who you are: name ${there}` : hint;
  return failure instanceof BrokenConnection
    ? new BrokenConnection(kind, told, elsewhere)
    : new AgentFailure(kind, told, elsewhere);
}

const UNSIGNED: ReadonlySet<string> = new Set([
  'CERT_SIGNATURE_FAILURE',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/** Why a server could not be asked, from the error of Node; a failure stays as it is. */
export function failedConnection(error: unknown, { protocol, hostname, host, port }: URL): AgentFailure {
  if (error instanceof AgentFailure) return error;
  const { code = '', message = '' } = error as NodeJS.ErrnoException;
  const secure = protocol === 'https:';
  const unreachable = (why: string, hint?: string) => new AgentFailure('unreachable', why, hint);
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN' || code === 'EAI_NONAME') {
    return unreachable(
      code === 'EAI_AGAIN' ? `the name ${hostname} cannot be looked up now` : `there is no host ${hostname}`,
      'check the name of the host',
    );
  }
  if (code === 'ECONNREFUSED') {
    const used = port === '' ? (secure ? '443' : '80') : port;
    return unreachable(
      `nothing listens on port ${used} of ${hostname}`,
      'check that it is running; agents listen on port 5051, masters on 5050 and schedulers on 8081 by default',
    );
  }
  if (UNSIGNED.has(code)) {
    return unreachable(
      'its certificate is not signed by a known authority',
      'name the certificate of the authority with --ca FILE',
    );
  }
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID') {
    const when = code === 'CERT_HAS_EXPIRED' ? 'has expired' : 'is not valid yet';
    return unreachable(
      `its certificate ${when}`,
      'check the clock of this host; the server may need a new certificate',
    );
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return unreachable(
      `its certificate is not one of ${hostname}`,
      'name it as its certificate does: by its name instead of its address, or the other way round',
    );
  }
  if (/ALERT_(?:CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE|BAD_CERTIFICATE|UNKNOWN_CA)/.test(code)) {
    return new AgentFailure(
      'unauthorized',
      'it accepts only clients with a certificate that it knows',
      'name one with --cert FILE --key FILE',
    );
  }
  if (secure && (code === 'EPROTO' || code.startsWith('ERR_SSL_'))) {
    return unreachable('it does not speak TLS', `try without TLS: http://${host}`);
  }
  if (error instanceof NotHttp) {
    return unreachable('its answer is not HTTP', secure ? undefined : `if it speaks TLS: https://${host}`);
  }
  if (BROKEN.has(code)) {
    const hint = secure ? 'try again' : `try again; if it speaks TLS: https://${host}`;
    return new BrokenConnection('unreachable', 'the connection broke', hint);
  }
  return unreachable(code === '' ? message : `the connection failed (${code})`);
}
