import { spawnSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
// @ts-expect-error: no types
import { buildCoordinator } from '../../scripts/build/coordinator.mjs';
import { COORDINATOR_EXIT } from '../../src/errors/exit-codes.js';
import { REPOSITORY } from '../e2e/harness.js';

/** Builds the coordinator in C for tests; undefined, and a line that says why, if that is not possible here. */
function built(output: string, flags: readonly string[]): string | undefined {
  const reason: string | undefined = buildCoordinator(output, flags);
  if (reason === undefined) return output;
  process.stderr.write(`the coordinator in C is not tested with ${flags.join(' ')}: ${reason}\n`);
  return undefined;
}

/**
 * One that ends with status 1 at the first fault of memory or arithmetic. THERMOS_TEST_NATIVE: another one, for example for
 * another C library or processor.
 */
export function sanitizedCoordinator(directory: string): string | undefined {
  if (process.env.THERMOS_TEST_NATIVE !== undefined) return process.env.THERMOS_TEST_NATIVE;
  const flags = ['-O1', '-fsanitize=address,undefined', '-fno-sanitize-recover=all'];
  return built(join(directory, 'sanitized'), flags);
}

interface Injectable {
  readonly program: string;
  /** The same, whose start is ended after a second. */
  readonly brief: string;
  readonly injector: string;
}

/**
 * One whose waits are short and that, with all faults, ends by SIGILL at the first fault of arithmetic, and the program of inject.c. Undefined
 * also if programs cannot be traced here.
 */
export function injectable(directory: string): Injectable | undefined {
  const bounds = ['-DSHORTAGE_MS=400', '-DFULL_DISK_MS=300', '-DRECORD_RETRY_MS=100'];
  // It takes long to build.
  const traps =
    process.env.THERMOS_TEST_FAULTS === undefined
      ? []
      : ['-fsanitize=undefined', '-fsanitize-undefined-trap-on-error'];
  const flags = ['-O2', '-static', ...traps, ...bounds];
  const program = built(join(directory, 'short'), flags);
  const brief = program && built(join(directory, 'brief'), [...flags, '-DSTART_SECONDS=1']);
  if (program === undefined || brief === undefined) return undefined;
  const injector = join(directory, 'injector');
  const source = join(REPOSITORY, 'test/coordinator/inject.c');
  const { status, stderr } = spawnSync('cc', ['-O1', '-o', injector, source], { encoding: 'utf8' });
  const env = { FAULT: 'parent 0 list 0 /dev/null', PROGRAM: program };
  const canTrace = () => spawnSync(injector, [], { env, stdio: 'ignore' }).status === COORDINATOR_EXIT.usage;
  if (status === 0 && canTrace()) return { program, brief, injector };
  process.stderr.write(
    `no system call of the coordinator in C fails: programs cannot be traced here ${stderr}\n`,
  );
  return undefined;
}

/** One in which fault.c can be preloaded, and fault.c. */
function preloadable(directory: string): { program: string; library: string } | undefined {
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
