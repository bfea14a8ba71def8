import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FIXTURES, tempDir, thermos } from './harness.js';

let temp: ReturnType<typeof tempDir>;
beforeAll(() => {
  temp = tempDir();
  cpSync(join(FIXTURES, 'host/root'), join(temp.path, 'root'), { recursive: true });
  mkdirSync(join(temp.path, '.aurora'));
  const clusters = [{ name: 'west', scheduler_uri: 'http://127.0.0.1:1' }];
  writeFileSync(join(temp.path, '.aurora/clusters.json'), JSON.stringify(clusters), { mode: 0o644 });
});
afterAll(() => temp.remove());

const ETL = join(FIXTURES, 'examples/etl.thermos');
const JOBS = join(FIXTURES, 'config/aurora_hello_service.aurora');
const needed = (flag: string, ...others: string[]) => `--${flag} needs ${others.join(' ')}`;
const together = (one: string, other: string) => `--${one} and --${other} cannot be used together`;

/** Flags that would ask for another answer than the one that is given, and what is said of them. */
test.each<[line: string, message: string]>([
  // A comparison of tasks, where none are compared.
  ['doctor --cluster west', needed('cluster', '--agent or --master')],
  ['doctor --retained believed.json host-bad', needed('retained', '--agent or --master')],
  ['doctor --cluster west --retained believed.json --agent a', together('retained', 'cluster')],
  // What only a config has.
  ['inspect --task web --agent a web', needed('task', 'a config: there is none on agents')],
  ['inspect --only p --master m web', needed('only', 'a config: there is none on agents')],
  ['diff -E rows=3 host-bad host-ok-1', needed('environment', 'a config: both words mean tasks')],
  ['diff --job x host-bad host-ok-1', needed('job', 'a config: both words mean tasks')],
  [`inspect --job x ${ETL}`, `${ETL} has no jobs`],
  [`inspect --instance 0 ${ETL}`, `${ETL} has no jobs, so there are no instances`],
  [`run --dry-run --instance 1 -E rows=3 ${ETL}`, `${ETL} has no jobs, so there are no instances`],
  [`inspect --task x ${JOBS}`, `${JOBS} has jobs, of which each has one task`],
  ['run --again host-bad --instance 1', together('again', 'instance')],
  // How agents are asked, where none are.
  ['status --credentials-file x', needed('credentials-file', '--agent or --master')],
  ['status --agent-address ip west/role/prod/web', needed('agent-address', '--master')],
  ['report --viewer --master m', together('viewer', 'master')],
  ['report --viewer --root r', together('viewer', 'root')],
  // What a task must be like, where none is named.
  ['gc --exact --dry-run', needed('exact', 'TASK')],
  ['report --exact', needed('exact', 'TASK')],
  ['restart --no-wait --timeout 5s x p', together('timeout', 'no-wait')],
  ['status --interval 5s', needed('interval', '--watch')],
  // A form of text, where there is none.
  ['status --json --columns task', together('columns', 'json')],
  ['inspect --json --graph dot host-bad', together('graph', 'json')],
  // What is sorted by, where it is not read or shown.
  ['top --once --sort pss', needed('sort pss', '--pss')],
  ['status --json --stream --sort age', together('stream', 'sort')],
  ['status --prometheus --limit 3', together('prometheus', 'limit')],
  // What is done with what is found in directories, where none are copied.
  ['cp --links host-bad:x y', needed('links', '--recursive')],
  ['init - --force', '- and --force cannot be used together'],
])('%s is refused', (line, message) => {
  const words = line.split(' ');
  const env = { THERMOS_ROOT: join(temp.path, 'root'), HOME: temp.path };
  const { stdout, stderr, status } = thermos(words, { env, cwd: temp.path });
  expect(stderr === '' ? stdout : stderr).toContain(message);
  expect(status).toBe(2);
});

/** Those that only ask for less, or for another form of the same: wrappers and aliases may always give them. */
test.each([
  'kill --now --grace 5s host-bad',
  'kill --lose --grace 5s host-bad',
  'gc --no-orphans --orphan-age 2h --dry-run',
  'tail --ignore-case --no-follow host-bad',
  'tail --json --no-prefix --raw --highlight x --no-follow host-bad',
  'status --json --verbosity 3',
])('%s is not', (line) => {
  const env = { THERMOS_ROOT: join(temp.path, 'root'), HOME: temp.path };
  const { status } = thermos(line.split(' '), { env, cwd: temp.path });
  expect([0, 1]).toContain(status);
});
