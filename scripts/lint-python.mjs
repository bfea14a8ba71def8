// Lints the Python in src/ and bin/ with Ruff: style and mistakes (E, W, F), likely mistakes (B), errors of Pylint (PLE). Ruff
// is WebAssembly, so that npm alone installs it, the same on every machine.

import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PositionEncoding, Workspace } from '@astral-sh/ruff-wasm-nodejs';

const root = fileURLToPath(new URL('..', import.meta.url));

const settings = {
  'target-version': 'py314',
  'line-length': 110,
  // `map` and `zip` are those of Python 2.
  lint: { select: ['E', 'W', 'F', 'B', 'PLE'], ignore: ['B905', 'B912'] },
};
const ruff = new Workspace(settings, PositionEncoding.Utf16);
const files = ['bin', 'src'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.py'))
    .map((name) => join(root, folder, name)),
);
for (const path of files.sort()) {
  for (const { code, message, start_location: at } of ruff.check(readFileSync(path, 'utf8'))) {
    console.error(`${relative(root, path)}:${at.row}:${at.column} ${code} ${message}`);
    process.exitCode = 1;
  }
}
console.log(`Ruff checked ${files.length} files.`);
