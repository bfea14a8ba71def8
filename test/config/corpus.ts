import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Json } from '../../src/config/document.js';
import { FIXTURES } from '../e2e/harness.js';

export const CORPUS = join(FIXTURES, 'config');

type Document = { [name: string]: Json };

/** What the original said of a config; `fixtures/config/README.md` tells the fields. */
export interface Expected {
  file: string;
  kind: 'json' | 'thermos' | 'aurora';
  command: 'evaluate' | 'inspect' | 'run';
  options: {
    bindings?: [string, string][];
    ports?: Record<string, number>;
    task?: string;
    env?: Record<string, string>;
    instance?: number;
  };
  ok: boolean;
  phase?: string;
  error_message_py3?: string;
  tasks?: Document[];
  ports?: string[];
  task_details?: {
    ports: string[];
    unbound: string[];
    validate: { ok: boolean };
    plan: Record<'regular' | 'final', Record<string, string[] | string>>;
  }[];
  selected?: string;
  run?: { cmdlines: Record<string, string>; task_id: string; user: string; ports: Record<string, number> };
  jobs?: {
    job?: { name: string };
    job_key?: string;
    ok: boolean;
    phase?: string;
    ports: string[];
    executor?: { instance: number; hostname: string; task: Document };
  }[];
  compare?: Record<string, 'unordered'>;
  py3?: { kind: 'message' | 'class' | 'result'; note: string };
}

/** Every case by its name. */
export function corpus(): [name: string, expected: Expected][] {
  return readdirSync(CORPUS)
    .filter((name) => name.endsWith('.expected.json'))
    .map((name) => [
      name.replace('.expected.json', ''),
      JSON.parse(readFileSync(join(CORPUS, name), 'utf8')) as Expected,
    ]);
}
