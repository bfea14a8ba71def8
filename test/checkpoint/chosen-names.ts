/** Names that somebody chose so that finding them is slow. */

/** FNV-1a of 32 bits. */
export function fnv1a(bytes: Uint8Array): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < bytes.length; i++) value = Math.imul(value ^ (bytes[i] as number), 0x01000193);
  return value | 0;
}

/** Pairs that lead FNV-1a from where the pairs before them lead to the same value; found by trying. */
const START = ['003pwu 00a5fa', '004uzx 00f2ad'];
const AGAIN = ['0035zx 00apcd', '0053zx 00cpad'];

/** `2 ** pairs` names that have the same FNV-1a. */
export function sameFnv1a(pairs: number): Buffer[] {
  let names = [''];
  for (let i = 0; i < pairs; i++) {
    const pair = (START[i] ?? (AGAIN[i % 2] as string)).split(' ');
    names = names.flatMap((name) => pair.map((piece) => name + piece));
  }
  return names.map((name) => Buffer.from(name));
}

/** Names that are not UTF-8, each another one also when it is decoded. */
export function notUtf8(count: number): Buffer[] {
  return Array.from({ length: count }, (_, k) =>
    Buffer.concat([Buffer.from([0xff]), Buffer.from(String(k))]),
  );
}

/** Names that a V8 without a secret for digits puts into one place of a Map. */
export function digits(count: number): Buffer[] {
  return Array.from({ length: count }, (_, k) => Buffer.from(String(1_000_000_000 + k * 65_536)));
}
