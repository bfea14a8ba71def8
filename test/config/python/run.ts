import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'vitest';
import { ConfigError, type Dialect, type ExecuteProgram } from '../../../src/config/program.js';
import { pythonExecutor } from '../../../src/config/python/execute.js';
import { createSession } from '../../../src/config/session.js';
import { REPOSITORY } from '../../e2e/harness.js';

export const DIST = join(REPOSITORY, 'dist');

export interface Run {
  files?: Record<string, string | Buffer>;
  dialect?: Dialect;
  environment?: Record<string, string>;
  limit?: number;
  dist?: string;
}

export interface Result {
  printed: string;
  exported: number;
  hasJobs: boolean;
  error?: ConfigError;
}

/** Python's code is compiled once for each. */
const executors = new Map<number | undefined, ExecuteProgram>();

function executorOf({ dist, limit }: Run): ExecuteProgram {
  if (dist !== undefined) return pythonExecutor(dist, limit);
  const executor = executors.get(limit) ?? pythonExecutor(DIST, limit);
  executors.set(limit, executor);
  return executor;
}

/** Executes a config `a.thermos` in a directory, beside the given files. */
export async function runIn(
  dir: string,
  source: string | Buffer,
  { files = {}, ...options }: Run = {},
): Promise<Result> {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, name)), { recursive: true });
    writeFileSync(join(dir, name), content);
  }
  const session = createSession();
  const result: Result = { printed: '', exported: 0, hasJobs: false };
  try {
    await executorOf(options)({
      path: join(dir, 'a.thermos'),
      source: Buffer.from(source),
      dialect: options.dialect ?? 'thermos',
      session,
      environment: options.environment ?? {},
      cwd: dir,
      print: (text) => {
        result.printed += text;
      },
    });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    result.error = error;
  }
  return Object.assign(result, { exported: session.exported.length, hasJobs: session.jobs !== undefined });
}

/** What the config's `show` was given, as JSON. */
export async function shownIn(dir: string, source: string, options: Run = {}): Promise<unknown[]> {
  const prelude = 'import json\ndef show(*values): print(json.dumps(values))\n';
  const { printed, error } = await runIn(dir, prelude + source, options);
  expect(error).toBeUndefined();
  return printed
    .split('\n')
    .filter((line) => line !== '')
    .flatMap((line) => JSON.parse(line) as unknown[]);
}
