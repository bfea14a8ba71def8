/**
 * The `--json` documents: a contract with scripts. Fields are added, never renamed or removed. At run time only the
 * types of this folder are used; the schemas generate `schemas/` and check the output in tests.
 */
import { read, record } from './checkpoint.js';
import { dryRun, init, inspectConfig } from './config.js';
import { defaults } from './defaults.js';
import { diff } from './diff.js';
import { doctor } from './doctor.js';
import { event } from './events.js';
import { cat, cp, ls } from './files.js';
import { gc } from './gc.js';
import { completion, help, roots, version } from './host.js';
import { failure, problem } from './problem.js';
import { report } from './report.js';
import { kill, restart, runDaemon, signal } from './run.js';
import { inspect, status, statusStream, tail, tailPath, wait } from './task.js';
import { top } from './top.js';

/** By name of the file in `schemas/`. */
export const CONTRACTS = {
  cat,
  completion,
  config: defaults,
  cp,
  'dry-run': dryRun,
  diff,
  doctor,
  error: failure,
  event,
  gc,
  help,
  init,
  inspect,
  'inspect-config': inspectConfig,
  kill,
  ls,
  problem,
  read,
  record,
  report,
  restart,
  roots,
  'run-daemon': runDaemon,
  signal,
  status,
  'status-stream': statusStream,
  tail,
  'tail-path': tailPath,
  top,
  version,
  wait,
};
export type ContractName = keyof typeof CONTRACTS;
