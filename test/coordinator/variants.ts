import { spawnSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
// @ts-expect-error: no types
import { buildCoordinator } from '../../scripts/build/coordinator.mjs';
import { REPOSITORY } from '../e2e/harness.js';

/** Builds the coordinator in C for tests; undefined, and a line that says why, if that is not possible here. */
function built(output: string, flags: readonly string[]): string | undefined {
  const reason: string | undefined = buildCoordinator(output, flags);
  if (reason === undefined) return output;
  process.stderr.write(`the coordinator in C is not tested with ${flags.join(' ')}: ${reason}\n`);
  return undefined;
}

/** One that ends with status 1 at the first fault of memory or arithmetic. */
export function sanitizedCoordinator(directory: string): string | undefined {
  const flags = ['-O1', '-fsanitize=address,undefined', '-fno-sanitize-recover=all'];
  return built(join(directory, 'sanitized'), flags);
}

/** One in which fault.c can be preloaded, and fault.c. */
export function preloadable(directory: string): { program: string; library: string } | undefined {
  const program = built(join(directory, 'dynamic'), ['-O1', '-fPIE', '-pie']);
  if (program === undefined) return undefined;
  const library = join(directory, 'fault.so');
  const source = join(REPOSITORY, 'test/coordinator/fault.c');
  const words = ['-shared', '-fPIC', '-o', library, source, '-ldl'];
  const { status, stderr } = spawnSync('cc', words, { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return { program, library };
}

/**
 * One whose writes to its stream fail as the file `fault` beside it says: one line, `PROCESS` and a fault of fault.c, for
 * one run only.
 */
export function faultyCoordinator(directory: string): string | undefined {
  const variant = preloadable(directory);
  if (variant === undefined) return undefined;
  const { program, library } = variant;
  const file = join(directory, 'fault');
  const script = join(directory, 'faulty-coordinator');
  writeFileSync(
    script,
    `#!/bin/sh
if [ -f '${file}' ] && read -r name fault < '${file}' && [ "$name" = "$2" ] && mv '${file}' '${file}.done'; then
  export LD_PRELOAD='${library}' FAULT="$fault"
fi
exec '${program}' "$@"
`,
  );
  chmodSync(script, 0o755);
  return script;
}
