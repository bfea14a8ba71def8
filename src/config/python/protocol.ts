import type { MessagePort } from 'node:worker_threads';
import type { CachePlaces } from '../../host/code-cache.js';
import type { InterpreterHost, PythonProgram } from './interpreter.js';

/** What the thread is started with. */
export interface ThreadData {
  port: MessagePort;
  /** Becomes 1 when an answer is on the port. */
  answered: Int32Array;
  /** Bytes printed beyond the limit: they are counted, but not sent. */
  leftOut: BigInt64Array;
  /** Where the build has put pyodide's code and the snapshot. */
  directory: string;
  caches: CachePlaces;
  host: InterpreterHost;
  program: PythonProgram;
}

/** What the thread sends. It waits for the answer to a `call`; `started`: the config's time begins. */
export type ThreadMessage =
  | { kind: 'call'; operation: string; args: string }
  | { kind: 'print'; text: string }
  | { kind: 'started' }
  | { kind: 'done'; failure: string }
  | { kind: 'broken'; message: string; stack: string };

/** What is known about an exception that left the config; made by execute.py. */
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
  /** The missing name: NameError, ImportError. */
  name?: string | null;
}
