import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ARCHITECTURES } from './architectures.mjs';
import { ROOT } from './facts.mjs';

/** What bin/run.js does with the Node of the host, done with ours. */
const CHANGES = [
  ['thermos_init=$(readlink -f "$0")', 'thermos_init=$thermos_home/bin/run.js'],
  ['--init node "$0"', '--init "$thermos_node" "$thermos_home/bin/run.js"'],
  ['exec node "$0"', 'exec "$thermos_node" "$thermos_home/bin/run.js"'],
];

/**
 * The script `bin/thermos` of a release: it finds its own directory, checks that Node can run here, and does the same as
 * the shell's part of bin/run.js. Throws if bin/run.js has changed so that it does not fit.
 * @param {import('./architectures.mjs').Arch} arch
 */
export function launcher(arch) {
  const start = readFileSync(join(ROOT, 'scripts/release/launcher.sh'), 'utf8');
  const program = readFileSync(join(ROOT, 'bin/run.js'), 'utf8');
  let [, end] = /^':' \/\*\n([\s\S]*?)^\*\/$/m.exec(program) ?? [];
  if (end === undefined) throw new Error('bin/run.js has no part for sh any more');
  for (const [from, to] of CHANGES) {
    if (end.split(from).length !== 2) throw new Error(`bin/run.js has not once ${from}`);
    end = end.replace(from, () => to);
  }
  const { machine, loader } = ARCHITECTURES[arch];
  const other = ARCHITECTURES[arch === 'x64' ? 'arm64' : 'x64'].loader;
  return `${start}${end}`
    .replaceAll('@MACHINE@', machine)
    .replaceAll('@LOADER@', loader)
    .replaceAll('@OTHER@', other);
}
