import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What tests may take over from who runs them: where programs are, how the suite is told what to do. */
const KEPT =
  /^(PATH|TMPDIR|CI|SSL_CERT_\w+|NODE_EXTRA_CA_CERTS|\w+_proxy|\w+_PROXY|VITEST\w*|HOSTILE_\w+|THERMOS_E2E_BIN|THERMOS_TEST_\w+)$/;

/**
 * Gives all tests the same host, whoever runs them and wherever: no environment, no locale, no umask of the
 * machine's, a home and a directory for temporary files of their own, and an empty task root instead of those that are looked for by default.
 * Processes that vitest starts inherit all of it.
 */
export default function setup(): () => void {
  // It is called for each project of vitest, in one process.
  if (process.env.THERMOS_TEST_HOST !== undefined) return () => {};
  const place = mkdtempSync(join(tmpdir(), 'thermos-'));
  process.umask(0o022);
  chmodSync(place, 0o755);
  for (const path of ['home', 'root/tasks/active', 'root/checkpoints', 'tmp']) {
    mkdirSync(join(place, path), { recursive: true });
  }
  chmodSync(join(place, 'tmp'), 0o1777);
  for (const name of Object.keys(process.env)) if (!KEPT.test(name)) delete process.env[name];
  Object.assign(process.env, {
    HOME: join(place, 'home'),
    LANG: 'C.UTF-8',
    // `gc` looks for other task roots beside those that it collects: those of this machine are none of ours.
    TMPDIR: join(place, 'tmp'),
    TZ: 'UTC',
    THERMOS_CONFIG: '',
    THERMOS_ROOT: join(place, 'root'),
    THERMOS_TEST_HOST: place,
    ...othersProgram(join(place, 'program')),
  });
  return () => rmSync(place, { recursive: true, force: true });
}

/** Makes a copy, which every user can start, of the program of a release that is tested. */
function othersProgram(place: string): Record<string, string> {
  const { THERMOS_E2E_BIN: program } = process.env;
  if (program === undefined) return {};
  execFileSync('cp', ['-a', join(program, '../..'), place]);
  execFileSync('chmod', ['-R', 'a+rX', place]);
  return { THERMOS_TEST_OTHERS_PROGRAM: join(place, 'bin/run.js') };
}
