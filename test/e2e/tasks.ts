import { spawnSync } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import { expect } from 'vitest';
import { CONTRACTS, type ContractName } from '../../src/contracts/index.js';
import { violations } from '../contracts/validate.js';
import { type Finished, type RunOptions, thermos } from './harness.js';

export interface Answer extends Finished {
  // biome-ignore lint/suspicious/noExplicitAny: what a script gets is checked against the contract, then looked into
  json: any;
}

/** Fails unless the document is what the contract says, in zod and in the shipped schema, and nothing more. */
export function expectContract(name: ContractName, document: unknown): void {
  expect(violations(name, document)).toEqual([]);
  expect(CONTRACTS[name].safeParse(document).error).toBeUndefined();
}

/** Runs a command with --json and checks its document; a failed command must print an error document. */
export function json(name: 'status' | 'inspect', args: readonly string[], options: RunOptions = {}): Answer {
  const finished = thermos([name, '--json', ...args], options);
  expect(finished.stderr).not.toContain('bug');
  expect(finished.stdout.endsWith('}\n')).toBe(true);
  const document = JSON.parse(finished.stdout);
  expectContract('error' in document ? 'error' : name, document);
  return { ...finished, json: document };
}

/** `ID STATE VERDICT` of each task. */
export function states({ json: document }: Answer): string[] {
  return document.tasks.map(
    (task: { task_id: string; state: string; verdict: string }) =>
      `${task.task_id} ${task.state} ${task.verdict}`,
  );
}

/** As who may not read what is root's; the caller itself if it isn't root. */
export function unprivileged(): { uid?: number } {
  return process.getuid?.() === 0 ? { uid: 65_534 } : {};
}

/**
 * Does /proc/locks list a lock whose taker, as flock(1), has ended? Not in a pid namespace below that of the machine, as
 * in a container: what can be known only by such a lock is not known there.
 */
export function seesAllLocks(): boolean {
  return readlinkSync('/proc/self/ns/pid') === 'pid:[4026531836]';
}

/** May pid namespaces be made here? */
export function canUnshare(): boolean {
  return spawnSync('unshare', ['-pf', 'true']).status === 0;
}
