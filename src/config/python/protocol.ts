import type { MessagePort } from 'node:worker_threads';
import type { CachePlaces } from '../../host/code-cache.js';
import type { InterpreterHost, PythonProgram } from './interpreter.js';

/** What the thread is started with. */
export interface ThreadData {
  port: MessagePort;
  /** Becomes 1 when an answer lies on the port. */
  answered: Int32Array;
  /** Bytes that were printed beyond the limit: they are counted, and not sent. */
  leftOut: BigInt64Array;
  /** A file of the build. */
  snapshot: string;
  caches: CachePlaces;
  host: InterpreterHost;
  program: PythonProgram;
}

/** What the thread says. A `call` is waited for; `started`: the config's time begins. */
export type ThreadMessage =
  | { kind: 'call'; operation: string; args: string }
  | { kind: 'print'; text: string }
  | { kind: 'started' }
  | { kind: 'done'; failure: string }
  | { kind: 'broken'; message: string; stack: string };

/** What is known of an exception that left the config; made by execute.py. */
export interface PythonFailure {
  type: string;
  mro: string[];
  message: string;
  traceback: string;
  /** Of the innermost line of a config file. */
  path?: string;
  line?: number;
  /** The lines of config files that led there, outermost first. */
  included_from?: [path: string, line: number][];
  /** The line as it is written. */
  text?: string | null;
  /** OSError: why, and which file. */
  strerror?: string | null;
  file?: string | null;
  /** The name that isn't there: NameError, ImportError. */
  name?: string | null;
}
