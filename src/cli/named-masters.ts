import { AGENT_PORT, serverAddress } from '../agent/address.js';
import { type MasterPlace, mayHoldSecret, parseMaster, withoutSecret } from '../agent/master-address.js';
import { badValue, describeErrno, UsageError } from '../errors/errors.js';
import { accountGroups } from '../host/groups.js';
import { useFile } from '../store/open-file.js';
import { readTrusted } from '../store/trusted-file.js';
import { shellArguments } from '../text/shell.js';
import type { AgentFlags, AskedMasters } from './agent-flags.js';

/** The masters of one cluster, of which each may lead. */
export interface NamedMasters {
  /** As they were named, without a secret. */
  readonly name: string;
  /** Their addresses now. */
  bases(): Promise<readonly string[]>;
}

const MASTER_FORMS = 'HOST:PORT, an http or https address, zk://HOST:PORT,…/PATH or file:///PATH';

/** The address of an agent that a flag names. Throws UsageError. */
export function agentAddress(text: string): string {
  if (mayHoldSecret(text)) throw secretInWords('--agent');
  const address = serverAddress(text, AGENT_PORT);
  if (address === undefined) throw badValue('--agent', 'an http or https address', withoutSecret(text));
  return address;
}

/** The masters that a flag or THERMOS_MASTER names; each name counts once. Throws UsageError. */
export function mastersOf(asked: AskedMasters, flags: AgentFlags): NamedMasters[] {
  const isFlag = asked.source !== 'environment';
  const named = isFlag ? '--master' : 'THERMOS_MASTER';
  const byName = flags.defaultAgents?.masters ?? {};
  return [...new Set(asked.masters)].map((text) => {
    if (Object.hasOwn(byName, text)) {
      return { name: text, bases: basesOf(configured(text, byName[text] as string), flags) };
    }
    if (isFlag && mayHoldSecret(text)) throw secretInWords(named);
    const place = parseMaster(text);
    if (place === undefined) throw badValue(named, MASTER_FORMS, withoutSecret(text));
    const name = mayHoldSecret(text) ? withoutSecret(text) : text.trim();
    return { name, bases: basesOf(place, flags) };
  });
}

function basesOf(place: MasterPlace, flags: AgentFlags): NamedMasters['bases'] {
  switch (place.kind) {
    case 'http':
      return async () => place.bases;
    case 'file':
      return basesOf(placeIn(place.path), flags);
    case 'zookeeper': {
      // What they register does not say it.
      const scheme = (flags.ca ?? flags.cert ?? flags.insecure) ? 'https' : 'http';
      return async () => {
        const { leadingMaster } = await import('../agent/client.js');
        return (await leadingMaster(place)).map((each) => `${scheme}://${each}`);
      };
    }
  }
}

/** Where the masters are that a file of defaults names. */
function configured(name: string, text: string): MasterPlace {
  if (mayHoldSecret(text)) {
    const hint = 'put zk://USER:PASSWORD@… into a file that only you can read, and name it: file:///PATH';
    throw new UsageError('defaults-invalid', `masters.${name} must hold no user or password`, hint);
  }
  const place = parseMaster(text);
  if (place === undefined) throw badValue(`masters.${name}`, MASTER_FORMS, text);
  return place;
}

const MOST_BYTES = 64 * 1024;

/** What a file says about where masters are; only root and this user may have written it. */
function placeIn(path: string): MasterPlace {
  const fail = (why: string, hint?: string) =>
    new UsageError('master-invalid', `file://${path}: ${why}`, hint);
  let found: ReturnType<typeof readTrusted>;
  try {
    const trusted = new Set([0, process.geteuid?.() ?? 0]);
    found = readTrusted(path, { trusted, groups: accountGroups, max: MOST_BYTES });
  } catch (error) {
    throw fail(describeErrno(error));
  }
  if (found === undefined) throw fail('there is no such file');
  if (!('text' in found)) {
    const { path: what, what: why, remedy } = found.untrusted;
    throw fail(`it is not used: ${what} ${why}`, remedy);
  }
  if (mayHoldSecret(found.text.trim()) && othersRead(path)) {
    throw fail(
      'others can read the password in it, so it is not used',
      `make it yours alone: chmod 600 ${shellArguments(path)}`,
    );
  }
  const place = parseMaster(found.text);
  if (place === undefined || place.kind === 'file') {
    throw fail(
      'it does not say where masters are',
      'it holds HOST:PORT, an http or https address, or zk://HOST:PORT,…/PATH',
    );
  }
  return place;
}

function othersRead(path: string): boolean {
  return useFile(path, { links: 'follow', max: MOST_BYTES }, ({ stat }) => (stat.mode & 0o077) !== 0);
}

/** The value is neither shown nor used: everybody on this host sees what is in a command line. */
function secretInWords(flag: string): UsageError {
  const hint =
    flag === '--agent'
      ? 'say who you are with --credentials-file FILE'
      : 'say who you are with --credentials-file FILE; zk://USER:PASSWORD@… may be in THERMOS_MASTER or in a file: file:///PATH';
  return new UsageError(
    'usage',
    `${flag} must hold no user or password: everybody on this host can see it`,
    hint,
  );
}
