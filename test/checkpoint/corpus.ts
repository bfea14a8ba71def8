import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CheckpointRecord } from '../../src/checkpoint/records.js';
import type { CheckpointState } from '../../src/checkpoint/replay.js';
import { FIXTURES } from '../e2e/harness.js';

/** A state as the original printed it and as `read --json` prints it: what JSON has no number for is text. */
export interface PlainState {
  header: Record<string, unknown> | null;
  statuses: Record<string, unknown>[];
  processes: Record<string, Record<string, unknown>[]>;
}

export interface Rejection {
  error: { class: string; cause: string | null; message?: string };
  records_before_error: number;
}

/** One raw record; `fields` of the union's member is absent if the frame or the struct cannot be read. */
export interface RawRecord {
  index: number;
  offset: number;
  length?: number;
  union?: string | null;
  fields?: Record<string, unknown>;
  also?: Record<string, Record<string, unknown>>;
  error?: { class: string };
}

export interface Case {
  name: string;
  dir: string;
  describes: string;
  damaged: boolean;
  /** By path of the runner's stream. */
  expected: Record<string, PlainState | Rejection>;
  partial: Record<string, Rejection & { state_before_error: PlainState }>;
  /** By path of any stream. */
  records: Record<string, RawRecord[]>;
}

const CASES = join(FIXTURES, 'checkpoints');

export function loadCase(name: string): Case {
  const dir = join(CASES, name);
  const load = (file: string) => parseExact(readFileSync(join(dir, file), 'utf8'));
  const { describes, damaged } = load('case.json') as { describes: string; damaged: boolean };
  const { partial = {} } = load('expected_more.json') as { partial?: Case['partial'] };
  return {
    name,
    dir,
    describes,
    damaged,
    partial,
    expected: load('expected.json') as Case['expected'],
    records: load('records.json') as Case['records'],
  };
}

export function loadCases(): Case[] {
  return readdirSync(CASES)
    .sort()
    .map((name) => loadCase(name));
}

export function readCase(from: Case, path: string): Buffer {
  return readFileSync(join(from.dir, path));
}

/** JSON.parse that turns integers beyond 2^53 into decimal strings instead of rounding them. */
export function parseExact(text: string): unknown {
  const quoted = text.replace(/"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?/g, (token) =>
    /^-?\d+$/.test(token) && !Number.isSafeInteger(Number(token)) ? `"${token}"` : token,
  );
  return JSON.parse(quoted);
}

/** Any value with text for what JSON has no number for; objects lose their prototype, keep `__proto__`. */
export function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'number' && !Number.isFinite(value)) {
    return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
  }
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  const copy: Record<string, unknown> = Object.create(null);
  for (const [key, inner] of Object.entries(value)) copy[key] = plain(inner);
  return copy;
}

export function plainState(state: CheckpointState): PlainState {
  const processes: Record<string, unknown> = Object.create(null);
  for (const [name, { runs }] of state.processes) processes[name] = runs;
  return plain({ header: state.header, statuses: state.statuses, processes }) as PlainState;
}

export function plainRecord(record: CheckpointRecord): { type: string; value: unknown } {
  return { type: record.type, value: plain(record.value) };
}

/**
 * The original's state with the two fields that it forgets on FAILED runs, taken from the record that made
 * the run FAILED.
 */
export function withFailedFields(state: PlainState, records: readonly RawRecord[]): PlainState {
  const complete = plain(state) as PlainState;
  for (const [name, runs] of Object.entries(complete.processes)) {
    for (const run of runs) {
      if (run.state !== 'FAILED') continue;
      const record = records.find(
        ({ union, fields }) =>
          union === 'process_status' &&
          fields?.process === name &&
          fields.seq === run.seq &&
          fields.state === 'FAILED',
      );
      if (record?.fields === undefined) throw new Error(`no FAILED record of ${name} with seq ${run.seq}`);
      const { stop_time, return_code } = record.fields;
      if (stop_time !== undefined) run.stop_time = stop_time;
      if (return_code !== undefined) run.return_code = return_code;
    }
  }
  return complete;
}

export function isRejection(expected: PlainState | Rejection): expected is Rejection {
  return 'error' in expected;
}

/** The case whose stream is a link: the original follows it, we don't, because anybody may have laid it. */
export const LINKED = 'damaged-fs-runner-link';
