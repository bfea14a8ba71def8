import { addressFault } from '../config/evaluate.js';
import { badValue } from '../errors/errors.js';

/** `NAME=VALUE`, split at the first `=`. */
export function parseBinding(text: string): [address: string, value: string] {
  const end = text.indexOf('=');
  if (end < 0) throw badValue('--environment', 'NAME=VALUE', text);
  const address = text.slice(0, end);
  if (addressFault(address) !== undefined) {
    const takes = 'NAME=VALUE with a NAME as inside {{…}} (name, profile.name, list[0])';
    throw badValue('--environment', takes, text);
  }
  return [address, text.slice(end + 1)];
}

/** `NAME:PORT`. */
export function parsePort(text: string): [name: string, port: number] {
  const [, name, digits] = /^([\w\-./]+):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (name === undefined || port < 1 || port > 65535) {
    throw badValue('--port', 'NAME:PORT with a port from 1 to 65535', text);
  }
  return [name, port];
}
