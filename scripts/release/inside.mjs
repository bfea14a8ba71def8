import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { librariesOfOneFile, shippedNodeIs } from '../build/components.mjs';
import { entryOf } from '../build/licenses.mjs';
import { withComponents } from '../build/sbom.mjs';

/**
 * The licences and the bill of materials of a built dist/ that is shipped with a Node, of which `licence` is the file.
 * @param {string} dist
 * @param {{ version: string, licence: string }} node
 */
export function insideWithNode(dist, { version, licence }) {
  const node = shippedNodeIs(version, readFileSync(licence, 'utf8'));
  return {
    licenses: `${readFileSync(join(dist, 'THIRD-PARTY-LICENSES'), 'utf8')}\n${entryOf(node)}`,
    bill: withComponents(readFileSync(join(dist, 'sbom.cdx.json'), 'utf8'), [node]),
  };
}

/**
 * The licences and the bill of materials of a tree, with what the one file has besides.
 * @param {string} tree
 * @param {string} zstd the version of the library that is linked into it
 */
export function insideOneFile(tree, zstd) {
  const doc = join(tree, 'share/doc/thermos');
  const more = librariesOfOneFile(zstd);
  return {
    licenses: [readFileSync(join(doc, 'THIRD-PARTY-LICENSES'), 'utf8'), ...more.map(entryOf)].join('\n'),
    bill: withComponents(readFileSync(join(doc, 'sbom.cdx.json'), 'utf8'), more),
  };
}

/**
 * The text of SHA256SUMS, as sha256sum(1) checks it, in the order of the files' names.
 * @param {string[]} files
 */
export function checksums(files) {
  return files
    .map((file) => `${createHash('sha256').update(readFileSync(file)).digest('hex')}  ${basename(file)}\n`)
    .sort((a, b) => (a.slice(66) < b.slice(66) ? -1 : 1))
    .join('');
}
