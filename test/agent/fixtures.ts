import { cpSync, existsSync, mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TaskDocument } from '../../src/contracts/task.js';
import { FIXTURES } from '../e2e/harness.js';
import { agentsIn } from './sandboxes.js';

/** A work directory with every task of the fixtures: those of bare hosts as if executors had run them. */
export function makeWorkDir(): string {
  const workDir = mkdtempSync(join(tmpdir(), 'agents-'));
  const copy = (from: string, to: string) => {
    if (existsSync(from)) cpSync(from, to, { recursive: true, verbatimSymlinks: true });
  };
  const addAgents = (tree: string, name: string) => {
    for (const id of agentsIn(tree)) copy(join(tree, 'slaves', id), join(workDir, 'slaves', `${name}-${id}`));
  };
  addAgents(join(FIXTURES, 'mesos'), 'all');
  for (const name of readdirSync(join(FIXTURES, 'checkpoints'))) {
    const place = join(FIXTURES, 'checkpoints', name);
    const run = join(workDir, `slaves/bare/frameworks/F/executors/thermos-${name}/runs/c1`);
    addAgents(join(place, 'mesos'), name);
    if (!existsSync(join(place, 'root'))) continue;
    copy(join(place, 'root'), join(run, 'checkpoints'));
    copy(join(place, 'sandbox'), join(run, 'sandbox'));
  }
  return workDir;
}

/** As another realm made it. */
const plain = (value: unknown) => JSON.parse(JSON.stringify(value));

/** Only the host of a task knows whether it was started again since; its agent, that the executor is gone. */
export function withoutHost<T extends TaskDocument & { why?: string[] }>(document: T): T {
  const { verdict, why = [] } = document;
  const gone = verdict === 'host-rebooted' || verdict === 'runner-gone';
  const lines = gone ? why.filter((line) => !line.startsWith('The runner (pid')) : why;
  const known = { ...document, verdict: gone ? 'runner-gone' : verdict };
  return plain(document.why === undefined ? known : { ...known, why: lines });
}

/** An agent follows links in a sandbox, and does not say so. */
export const LINKED = /damaged-fs-runner-link/;
