import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

/** A certificate with its key, both as PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

export interface Authority extends Certificate {
  /** Makes a certificate for a name, or an IPv4 address, that this authority signed. */
  certify(name: string, validity?: readonly [from: Date, to: Date]): Certificate;
}

const HOUR = 3_600_000;

/** A certificate authority of our own. */
export function makeAuthority(name = 'test authority'): Authority {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const of = (subject: string, key: KeyObject, extension: Buffer, [from, to]: readonly [Date, Date]) =>
    pem('CERTIFICATE', certificate(name, subject, key, privateKey, extension, from, to));
  const now = () => [new Date(Date.now() - HOUR), new Date(Date.now() + HOUR)] as const;
  return {
    cert: of(name, publicKey, extension('2.5.29.19', sequence(tlv(0x01, Buffer.from([0xff])))), now()),
    key: keyText(privateKey),
    certify: (subject, validity = now()) => {
      const own = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const address = /^\d+(?:\.\d+){3}$/.test(subject)
        ? tlv(0x87, Buffer.from(subject.split('.').map(Number)))
        : tlv(0x82, Buffer.from(subject));
      const names = extension('2.5.29.17', sequence(address));
      return { cert: of(subject, own.publicKey, names, validity), key: keyText(own.privateKey) };
    },
  };
}

const keyText = (key: KeyObject) => key.export({ type: 'pkcs8', format: 'pem' }) as string;

/** X.509, signed with ECDSA over SHA-256. */
function certificate(
  issuer: string,
  subject: string,
  key: KeyObject,
  signer: KeyObject,
  extension: Buffer,
  from: Date,
  to: Date,
): Buffer {
  const algorithm = sequence(oid('1.2.840.10045.4.3.2'));
  serial += 1;
  const body = sequence(
    tlv(0xa0, integer(2)),
    integer(serial),
    algorithm,
    nameOf(issuer),
    sequence(time(from), time(to)),
    nameOf(subject),
    key.export({ type: 'spki', format: 'der' }) as Buffer,
    tlv(0xa3, sequence(extension)),
  );
  const signature = sign('sha256', body, signer);
  return sequence(body, algorithm, tlv(0x03, Buffer.concat([Buffer.from([0]), signature])));
}

let serial = 0;

function pem(label: string, der: Buffer): string {
  const lines = der.toString('base64').replace(/.{64}/g, '$&\n');
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
}

function tlv(tag: number, value: Buffer): Buffer {
  const { length } = value;
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), value]);
}

const sequence = (...parts: readonly Buffer[]) => tlv(0x30, Buffer.concat(parts));
const integer = (value: number) => tlv(0x02, Buffer.from([value]));
const nameOf = (text: string) => sequence(tlv(0x31, sequence(oid('2.5.4.3'), tlv(0x0c, Buffer.from(text)))));
const extension = (id: string, value: Buffer) => sequence(oid(id), tlv(0x04, value));
const time = (date: Date) => tlv(0x18, Buffer.from(`${date.toISOString().replace(/[-:T]|\.\d+/g, '')}`));

function oid(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number);
  const bytes = [40 * first + second];
  for (const part of rest) {
    const digits = [part & 0x7f];
    for (let left = part >> 7; left > 0; left >>= 7) digits.unshift(0x80 | (left & 0x7f));
    bytes.push(...digits);
  }
  return tlv(0x06, Buffer.from(bytes));
}
