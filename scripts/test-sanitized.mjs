// All tests of the runner with a coordinator in C that ends at its first fault of memory or arithmetic.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildCoordinator } from './build/coordinator.mjs';

const place = mkdtempSync(join(tmpdir(), 'thermos-sanitized-'));
try {
  const program = join(place, 'coordinator');
  const reason = buildCoordinator(program, [
    '-O1',
    '-fsanitize=address,undefined',
    '-fno-sanitize-recover=all',
  ]);
  if (reason !== undefined) throw new Error(reason);
  const env = { ...process.env, THERMOS_TEST_NATIVE: program };
  const { status } = spawnSync('npx', ['vitest', 'run', 'test/runner'], { env, stdio: 'inherit' });
  process.exitCode = status ?? 1;
} finally {
  rmSync(place, { recursive: true });
}
