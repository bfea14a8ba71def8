import { addressFault } from '../config/evaluate.js';
import { UsageError } from '../errors/errors.js';

/** `NAME=VALUE`, split at the first `=`. */
export function parseBinding(text: string): [address: string, value: string] {
  const end = text.indexOf('=');
  if (end < 0) throw new UsageError('usage', `-E takes NAME=VALUE, not '${text}'`);
  const address = text.slice(0, end);
  if (addressFault(address) !== undefined) {
    const message = `'${address}' in -E '${text}' is not a name that a config can refer to`;
    throw new UsageError('usage', message, 'names are as inside {{…}}: name, profile.name, list[0]');
  }
  return [address, text.slice(end + 1)];
}

/** `NAME:PORT`. */
export function parsePort(text: string): [name: string, port: number] {
  const [, name, digits] = /^([\w\-./]+):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (name === undefined || port < 1 || port > 65535) {
    throw new UsageError('usage', `-P takes NAME:PORT with a port from 1 to 65535, not '${text}'`);
  }
  return [name, port];
}
