import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LogWriter } from '../../src/runner/coordinator/log-writer.js';

function inDirectory(use: (path: string) => void): void {
  const directory = mkdtempSync(join(tmpdir(), 'thermos-log-'));
  try {
    use(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

describe('a log file', () => {
  test('is appended to', () => {
    inDirectory((directory) => {
      const path = join(directory, 'stdout');
      new LogWriter(path).write(Buffer.from('one '));
      new LogWriter(path).write(Buffer.from('two'));
      expect(readFileSync(path, 'utf8')).toBe('one two');
    });
  });

  test('that is rotated holds the last bytes in files of the size, the newest last', () => {
    const writes = fc.array(fc.uint8Array({ maxLength: 30 }), { maxLength: 30 });
    const sizes = fc.record({
      size: fc.integer({ min: 1, max: 20 }),
      backups: fc.integer({ min: 0, max: 4 }),
    });
    fc.assert(
      fc.property(writes, sizes, (chunks, rotation) => {
        inDirectory((directory) => {
          const log = new LogWriter(join(directory, 'stdout'), rotation);
          for (const chunk of chunks) log.write(chunk);
          const names = readdirSync(directory).sort().reverse();
          expect(names.length).toBeLessThanOrEqual(rotation.backups + 1);
          const files = names.map((name) => readFileSync(join(directory, name)));
          for (const [i, file] of files.entries()) {
            if (names[i] === 'stdout') expect(file.length).toBeLessThan(rotation.size);
            else expect(file.length).toBe(rotation.size);
          }
          const all = Buffer.concat(chunks);
          const kept = Buffer.concat(files);
          expect(all.subarray(all.length - kept.length)).toEqual(kept);
          const full = Math.floor(all.length / rotation.size);
          expect(names).toHaveLength(1 + Math.min(full, rotation.backups));
        });
      }),
      { numRuns: 200 },
    );
  });

  test('that cannot be written loses its bytes and holds up nobody', () => {
    const log = new LogWriter('/dev/full');
    expect(() => log.write(Buffer.from('lost'))).not.toThrow();
  });
});
