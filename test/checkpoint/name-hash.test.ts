import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NameHash } from '../../src/checkpoint/name-hash.js';
import { fnv1a, sameFnv1a } from './chosen-names.js';

const hashOf = (hash: NameHash, bytes: Uint8Array) => hash.of(bytes, 0, bytes.length);

/** The most names that have one hash. */
function longestChain(names: readonly Uint8Array[], hash = new NameHash()): number {
  const counts = new Map<number, number>();
  for (const name of names) {
    const value = hashOf(hash, name);
    counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  return Math.max(...counts.values());
}

describe('the hash of a name', () => {
  const hash = new NameHash();

  it('is that of its bytes, wherever they stand', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), fc.nat({ max: 20 }), (name, before) => {
        const inside = new Uint8Array(before + name.length + 9).fill(7);
        inside.set(name, before);
        expect(hash.of(inside, before, before + name.length)).toBe(hashOf(hash, name));
      }),
    );
  });

  it('is a whole number from 0 to 2^26', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1000 }), (name) => {
        const value = hashOf(hash, name);
        expect(Number.isInteger(value) && value >= 0 && value < 2 ** 26).toBe(true);
      }),
    );
  });

  it('is another with another secret', () => {
    const name = Buffer.from('process');
    const values = new Set(Array.from({ length: 20 }, () => hashOf(new NameHash(), name)));
    expect(values.size).toBeGreaterThan(15);
  });

  it('is not the same for names that differ in little', () => {
    const ofZeros = Array.from({ length: 1200 }, (_, length) => new Uint8Array(length));
    const oneByte = Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte));
    const late = Array.from({ length: 700 }, (_, at) => new Uint8Array(700).fill(1, at, at + 1));
    const swapped = Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte, 255 - byte));
    for (const names of [ofZeros, oneByte, late, swapped]) expect(longestChain(names)).toBeLessThan(4);
  });

  it('is not the same for names chosen to have the same FNV-1a', () => {
    const names = sameFnv1a(13);
    expect(new Set(names.map(fnv1a)).size).toBe(1);
    expect(longestChain(names)).toBeLessThan(5);
  });
});
