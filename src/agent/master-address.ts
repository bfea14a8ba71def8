import { serverAddress } from './address.js';

export const MASTER_PORT = '5050';
const ZOOKEEPER_PORT = 2181;

export interface ZooKeeperPlace {
  readonly kind: 'zookeeper';
  readonly servers: readonly { readonly host: string; readonly port: number }[];
  /** Of the directory in which masters register; absolute, without a slash at its end. */
  readonly path: string;
  /** `user:password`: a secret. */
  readonly auth?: string;
}

/** Where masters are: their addresses, or where these can be asked for. */
export type MasterPlace =
  | { readonly kind: 'http'; readonly bases: readonly string[] }
  | ZooKeeperPlace
  | { readonly kind: 'file'; readonly path: string };

/**
 * A value of --master: `host:5050`, `http(s)://host:5050/prefix`, several of these with commas between them,
 * `zk://[user:password@]host:2181,host:2181/path` or `file:///path`. Undefined if it is none of them, or an http address
 * with a password in it. Pure.
 */
export function parseMaster(text: string): MasterPlace | undefined {
  const word = text.trim();
  if (/^file:/i.test(word)) {
    const [, path] = /^file:\/\/(\/[^\0]+)$/i.exec(word) ?? [];
    return path === undefined ? undefined : { kind: 'file', path };
  }
  if (/^zk:/i.test(word)) return zooKeeperIn(word);
  const bases = word.split(',').map((each) => serverAddress(each, MASTER_PORT));
  return bases.every((base) => base !== undefined) ? { kind: 'http', bases: [...new Set(bases)] } : undefined;
}

/** The same without what may be a user and a password: whatever is before an `@`, however it is written. Pure. */
export function withoutSecret(text: string): string {
  return text.trim().replace(/^([a-z]+:\/\/)?.*@/is, '$1');
}

/** May a user or a password be in it? Pure. */
export function mayHoldSecret(text: string): boolean {
  return /^zk:.*@/is.test(text) || text.split(',').some((each) => /^[^/]*(?:\/\/)?[^/]*@/.test(each));
}

function zooKeeperIn(word: string): ZooKeeperPlace | undefined {
  const [, auth, hosts = '', path = ''] = /^zk:\/\/(?:([^/]+)@)?([^/@]+)(\/[^\0]*)$/i.exec(word) ?? [];
  const servers = hosts.split(',').map(serverIn);
  const names = path.replace(/\/+$/, '').slice(1).split('/');
  const isPath = names.every((name) => name !== '' && name !== '.' && name !== '..');
  if (!isPath || !servers.every((server) => server !== undefined)) return undefined;
  if (auth !== undefined && !/^[^:]+:/.test(auth)) return undefined;
  return { kind: 'zookeeper', servers, path: `/${names.join('/')}`, ...(auth !== undefined && { auth }) };
}

/** `host`, `host:2181`, `[::1]:2181`. */
function serverIn(text: string): { host: string; port: number } | undefined {
  const [, address, name, digits = String(ZOOKEEPER_PORT)] =
    /^(?:\[([\da-f:.]+)\]|([\w.-]+))(?::(\d{1,5}))?$/i.exec(text.trim()) ?? [];
  const host = address ?? name;
  const port = Number(digits);
  return host === undefined || port === 0 || port > 65_535 ? undefined : { host, port };
}
