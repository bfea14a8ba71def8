import type { VersionDocument } from '../contracts/host.js';
import { visible } from '../text/escape.js';

const FORMS: Readonly<Record<NonNullable<VersionDocument['form']>, string>> = {
  source: 'a build of the repository',
  npm: 'the npm package',
  tarball: 'the archive, with its own Node',
  file: 'the one file, with its own Node',
  deb: 'the Debian package, with its own Node',
  rpm: 'the RPM package, with its own Node',
};

/** The version; with what it consists of, a line for each part. */
export function versionText(document: VersionDocument): string {
  const { version, node, coordinator, v8, pyodide, cpython, form, place, commit, built } = document;
  const start = `thermos/${version}\n`;
  if (form === undefined) return start;
  const rows: [string, string | undefined][] = [
    ['Form', FORMS[form]],
    ['Place', place],
    ['Commit', commit],
    ['Built', built],
    ['Node', `${node}, V8 ${v8}`],
    ['Python', `CPython ${cpython}, by Pyodide ${pyodide}`],
    ['Coordinator', coordinator === 'native' ? 'the program in C' : 'Node'],
  ];
  const lines = rows.filter(([, value]) => value !== undefined);
  return start + lines.map(([name, value]) => `${`${name}:`.padEnd(14)}${visible(value ?? '')}\n`).join('');
}
