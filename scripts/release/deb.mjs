import { createHash } from 'node:crypto';
import { chmodSync, lstatSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ARCHITECTURES } from './architectures.mjs';
import { PACKAGE, releaseTime, run } from './facts.mjs';
import {
  compress,
  DESCRIPTION,
  filesBelow,
  MAINTAINER,
  move,
  settleSystem,
  stageSystem,
  template,
} from './system.mjs';
import { write } from './tree.mjs';

/**
 * What the control file says, besides the size.
 * @param {import('./architectures.mjs').Arch} arch
 */
function fieldsOf(arch) {
  const { debian, libstdcxx } = ARCHITECTURES[arch];
  return [
    'Package: thermos',
    `Version: ${PACKAGE.version}-1`,
    `Architecture: ${debian}`,
    `Maintainer: ${MAINTAINER}`,
    // What Node needs: the versions of symbols in it.
    `Depends: libc6 (>= 2.28), libgcc-s1 | libgcc1, libstdc++6 (>= ${libstdcxx})`,
    'Section: admin',
    'Priority: optional',
    'Homepage: https://aurora.apache.org/',
  ];
}

/**
 * Makes thermos_VERSION-1_ARCHITECTURE.deb in a directory, from the tree of another form; returns the file.
 * @param {string} directory
 * @param {{ base: string, quick: boolean, trees?: string, arch?: import('./architectures.mjs').Arch }} options quick: not
 *   compressed; trees: where what is packed is left
 */
export function debPackage(directory, { base, quick, trees = join(directory, 'trees'), arch = 'x64' }) {
  const stage = join(trees, 'deb');
  stageSystem({ directory: stage, form: 'deb', base });
  const share = join(stage, 'usr/share');
  move(join(share, 'zsh/site-functions/_thermos'), join(share, 'zsh/vendor-completions/_thermos'));
  const doc = join(share, 'doc/thermos');
  compress(join(doc, 'CHANGELOG.md'), join(doc, 'changelog.gz'));
  rmSync(join(doc, 'LICENSE'));
  write(join(doc, 'copyright'), copyright());
  write(join(doc, 'changelog.Debian'), changelog());
  compress(join(doc, 'changelog.Debian'));
  write(join(share, 'lintian/overrides/thermos'), template('lintian-overrides'));
  settleSystem(stage);

  const files = filesBelow(stage);
  const size = files.reduce((sum, path) => sum + Math.ceil(lstatSync(join(stage, path)).size / 1024), 0);
  const [summary, ...more] = ['run, watch and clean up Thermos tasks', ...DESCRIPTION];
  const description = [`Description: ${summary}`, ...more.map((line) => ` ${line}`)];
  const control = [...fieldsOf(arch), `Installed-Size: ${size}`, ...description, ''].join('\n');
  write(join(stage, 'DEBIAN/control'), control);
  write(join(stage, 'DEBIAN/conffiles'), '/etc/thermos/config.json\n');
  write(
    join(stage, 'DEBIAN/md5sums'),
    files
      .filter((path) => path.startsWith('usr/'))
      .map((path) => `${md5(join(stage, path))}  ${path}\n`)
      .join(''),
  );
  for (const script of ['postinst', 'prerm', 'postrm'])
    write(join(stage, 'DEBIAN', script), template(`deb-${script}`), 0o755);
  settleSystem(join(stage, 'DEBIAN'));
  for (const script of ['postinst', 'prerm', 'postrm']) chmodSync(join(stage, 'DEBIAN', script), 0o755);

  const file = join(directory, `thermos_${PACKAGE.version}-1_${ARCHITECTURES[arch].debian}.deb`);
  // xz is what every dpkg can read. Higher levels take minutes and save a twentieth.
  const words = ['--root-owner-group', ...(quick ? ['-Znone'] : ['-Zxz', '-z3']), '--build', stage, file];
  run('dpkg-deb', words, {
    env: { ...process.env, SOURCE_DATE_EPOCH: String(releaseTime()), DPKG_DEB_THREADS_MAX: '1' },
  });
  return file;
}

/** @param {string} path */
function md5(path) {
  return createHash('md5').update(readFileSync(path)).digest('hex');
}

function copyright() {
  return [
    'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/',
    'Upstream-Name: thermos',
    '',
    'Files: *',
    'Copyright: 2026 the authors of Thermos',
    'License: Apache-2.0',
    ' On Debian systems, the text of the Apache License, version 2.0, is in',
    ' /usr/share/common-licenses/Apache-2.0.',
    '',
    'Files: usr/lib/thermos/node usr/lib/thermos/dist/* usr/lib/thermos/node_modules/*',
    'Copyright: those who are named in the text',
    'License: third-party',
    ' Node.js, Python and the packages that are built into the program each have a',
    ' licence of their own. All of them are whole in',
    ' /usr/share/doc/thermos/THIRD-PARTY-LICENSES.',
    '',
  ].join('\n');
}

function changelog() {
  const date = new Date(releaseTime() * 1000).toUTCString().replace('GMT', '+0000');
  return `thermos (${PACKAGE.version}-1) stable; urgency=medium\n\n  * Release ${PACKAGE.version}: see changelog.gz.\n\n -- ${MAINTAINER}  ${date}\n`;
}
