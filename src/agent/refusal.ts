import { AgentFailure } from './failure.js';
import type { HttpAnswer } from './http.js';

export interface RefusalWords {
  /** What was asked for. */
  readonly what: string;
  /** Why it cannot answer, if it says that it has just started or that nobody leads. */
  readonly notYet: string;
  /** How one says who one is. */
  readonly sayWho?: string;
}

export const SAY_WHO = 'give them with --credentials-file FILE; if you did, check that file';

/** The failure that a status means, whoever answers; undefined if it depends on who that is. Pure. */
export function commonRefusal(
  answer: Pick<HttpAnswer, 'status' | 'headers' | 'body'>,
  { what, notYet, sayWho = SAY_WHO }: RefusalWords,
): AgentFailure | undefined {
  const { status, headers } = answer;
  switch (status) {
    case 401: {
      const [, realm] = /realm="([\w-]+)"/.exec(headers['www-authenticate'] ?? '') ?? [];
      const of = realm === undefined ? '' : ` (realm ${realm})`;
      return new AgentFailure('unauthorized', `it asks for credentials${of}`, sayWho);
    }
    case 403:
      return new AgentFailure(
        'forbidden',
        `it forbids ${what}`,
        'its access list does not allow you to see it',
      );
    case 503:
      if (saysNotYet(answer)) return new AgentFailure('recovering', notYet, 'ask again in a minute');
      if (!isPage(answer)) {
        const hint = 'ask again in a minute; if that does not help, check that it is running';
        return new AgentFailure('unreachable', 'it is not available now (503)', hint);
      }
      return unreachedByProxy(status);
    case 502:
    case 504:
      return unreachedByProxy(status);
    default:
      return undefined;
  }
}

function unreachedByProxy(status: number): AgentFailure {
  return new AgentFailure(
    'unreachable',
    `the proxy before it cannot reach it (${status})`,
    'check that it is running',
  );
}

/** So much of a page says what it is. */
const MOST_SHOWN = 1000;

/** What Mesos says, as plain text, while it recovers or nobody leads. */
function saysNotYet(answer: Pick<HttpAnswer, 'headers' | 'body'>): boolean {
  return !isPage(answer) && /recover|leader|leading/i.test(answer.body.toString('latin1', 0, MOST_SHOWN));
}

/** Is it for a person, as a proxy has it? */
function isPage({ headers, body }: Pick<HttpAnswer, 'headers' | 'body'>): boolean {
  return /html/i.test(headers['content-type'] ?? '') || /^\s*</.test(body.toString('latin1', 0, MOST_SHOWN));
}
