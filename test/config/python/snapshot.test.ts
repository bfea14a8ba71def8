import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSnapshot, snapshotOf } from '../../../src/config/python/snapshot.js';

const PAGE = 4096;

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'thermos-snapshot-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function kept(memory: Uint8Array, fresh = new Uint8Array(memory.length)): string {
  const path = join(dir, 'snapshot');
  writeFileSync(path, Buffer.concat(snapshotOf('// this build', memory, fresh)));
  return path;
}

/** Pages that are zero, or not only at one place. */
const memories = fc
  .array(fc.option(fc.record({ at: fc.nat(PAGE - 1), byte: fc.nat(255) }), { nil: undefined }), {
    maxLength: 40,
  })
  .map((pages) => {
    const memory = new Uint8Array(pages.length * PAGE);
    for (const [i, page] of pages.entries()) if (page !== undefined) memory[i * PAGE + page.at] = page.byte;
    return memory;
  });

describe('a snapshot', () => {
  it('gives a new instance the memory that it was made of, whatever both hold', () => {
    fc.assert(
      fc.property(memories, memories, (memory, other) => {
        const fresh = new Uint8Array(memory.length);
        fresh.set(other.subarray(0, memory.length));
        const snapshot = openSnapshot(kept(memory, fresh), '// this build');
        expect(snapshot.size).toBe(memory.length);
        const restored = fresh.slice();
        snapshot.load(restored);
        expect(Buffer.compare(restored, memory)).toBe(0);
      }),
      { numRuns: 50 },
    );
  });

  it('leaves out what is zero', () => {
    const memory = new Uint8Array(1000 * PAGE);
    memory[500 * PAGE] = 1;
    const parts = snapshotOf('// this build', memory, new Uint8Array(memory.length));
    expect(parts.slice(1).map((part) => part.length)).toEqual([PAGE]);
  });

  it('is not opened if it is missing, for another build, nor if it is cut or something else', () => {
    const memory = new Uint8Array(4 * PAGE).fill(1);
    expect(() => openSnapshot(join(dir, 'missing'), '// this build')).toThrow();
    expect(() => openSnapshot(kept(memory), '// another build')).toThrow();
    const path = kept(memory);
    truncateSync(path, 3 * PAGE);
    expect(() => openSnapshot(path, '// this build')).toThrow();
    for (const text of [
      '',
      '\n',
      '{}\n',
      '[]',
      '{"build":"// this build","size":1,"runs":[[0,4096]]}\n',
      'x'.repeat(20),
    ]) {
      writeFileSync(path, text);
      expect(() => openSnapshot(path, '// this build')).toThrow();
    }
  });
});
