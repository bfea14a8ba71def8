import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ARCHITECTURES } from './architectures.mjs';
import { PACKAGE, releaseTime, run } from './facts.mjs';
import { DESCRIPTION, MAINTAINER, move, settleSystem, stageSystem, template } from './system.mjs';
import { write } from './tree.mjs';

/**
 * Makes thermos-VERSION-1.MACHINE.rpm in a directory, from the tree of another form; returns the file.
 * @param {string} directory
 * @param {{ base: string, quick: boolean, trees?: string, arch?: import('./architectures.mjs').Arch }} options quick: not
 *   compressed; trees: where what is packed is left
 */
export function rpmPackage(directory, { base, quick, trees = join(directory, 'trees'), arch = 'x64' }) {
  const { machine } = ARCHITECTURES[arch];
  const place = join(trees, 'rpm');
  rmSync(place, { recursive: true, force: true });
  const stage = join(place, 'stage');
  stageSystem({ directory: stage, form: 'rpm', base });
  const share = join(stage, 'usr/share');
  for (const name of ['LICENSE', 'THIRD-PARTY-LICENSES'])
    move(join(share, 'doc/thermos', name), join(share, 'licenses/thermos', name));
  settleSystem(stage);

  const time = releaseTime();
  const [weekday, day, month, year] = new Date(time * 1000).toUTCString().split(/[ ,]+/);
  const spec = join(place, 'thermos.spec');
  write(
    spec,
    template('thermos.spec', {
      VERSION: PACKAGE.version,
      MACHINE: machine,
      DESCRIPTION: DESCRIPTION.join('\n'),
      STAGE: stage,
      DAY: `${weekday} ${month} ${day} ${year}`,
      MAINTAINER,
      PAYLOAD: quick ? 'w.ufdio' : 'w3.xzdio',
    }),
  );
  mkdirSync(join(place, 'RPMS'));
  run('rpmbuild', ['--quiet', '-bb', '--target', machine, '--define', `_topdir ${place}`, spec], {
    env: { ...process.env, SOURCE_DATE_EPOCH: String(time) },
  });
  const [name = ''] = readdirSync(join(place, 'RPMS', machine));
  const file = join(directory, name);
  renameSync(join(place, 'RPMS', machine, name), file);
  return file;
}
