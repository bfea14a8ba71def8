// npm run bench [-- --quick] [-- --markdown]: the cost of thermos, measured against programs that do the same work
// on the same data at the same time. Makes its data in a temp directory and removes it. No test depends on it.
//
// What is not here is not measured, and the table says so: openssl, make, GNU parallel, strace, a C compiler, and the
// original, whose command line THERMOS_ORIGINAL gives. THERMOS_TEST_NODES names other Nodes, as for the tests; without
// it, npm installs them into the temp directory.

import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { agentRows } from './bench/agents.mjs';
import { configRows } from './bench/config.mjs';
import { gcRows } from './bench/gc.mjs';
import { quote } from './bench/measure.mjs';
import { reportRows } from './bench/report.mjs';
import { runRows } from './bench/run.mjs';
import { slowDiskRows } from './bench/slow-disk.mjs';
import { statusRows } from './bench/status.mjs';
import { markdownTable, plainTable } from './bench/table.mjs';
import { tailRows } from './bench/tail.mjs';

const { values } = parseArgs({ options: { quick: { type: 'boolean' }, markdown: { type: 'boolean' } } });
const run = join(dirname(fileURLToPath(import.meta.url)), '..', 'bin', 'run.js');
if (!existsSync(join(dirname(run), '..', 'dist', 'main.cjs'))) {
  console.error('bench: there is no built program; run npm run build');
  process.exit(2);
}

const dir = mkdtempSync(join(tmpdir(), 'thermos-bench-'));
const remove = () => rmSync(dir, { recursive: true, force: true });
process.once('exit', remove);
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(130));

const home = join(dir, 'home');
mkdirSync(home);
const programArgs = [process.execPath, run];
const context = {
  dir,
  run,
  programArgs,
  program: programArgs.map(quote).join(' '),
  node: quote(process.execPath),
  original: process.env.THERMOS_ORIGINAL || undefined,
  env: { PATH: process.env.PATH, HOME: home, TZ: 'UTC', LANG: 'C.UTF-8' },
  quick: values.quick === true,
  say: (text) => console.error(`bench: ${text} ...`),
};

/** @type {import('./bench/table.mjs').Row[]} */
const rows = [
  ...(await statusRows(context)),
  ...(await agentRows(context)),
  ...(await tailRows(context)),
  ...configRows(context),
  ...(await runRows(context)),
  ...slowDiskRows(context),
  ...(await gcRows(context)),
  ...reportRows(context),
];
console.log(values.markdown ? markdownTable(rows) : plainTable(rows));
const missed = rows.filter((row) => row.ok === false).length;
const unmeasured = rows.filter((row) => row.measured === 'not measured').length;
const machine = `Node ${process.versions.node}, ${cpus().length} x ${cpus()[0]?.model.trim() ?? 'unknown CPU'}`;
console.log(
  `\n${machine}. Medians of whole processes run in turn, and of the ratios of neighbouring runs.` +
    `${missed === 0 ? ' Every measured goal is reached.' : ` Goals missed: ${missed}.`}` +
    `${unmeasured === 0 ? '' : ` Rows not measured: ${unmeasured}.`}`,
);
