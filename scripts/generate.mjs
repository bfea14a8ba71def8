// Generates the committed files that are derived from the source: schemas/, man/, docs/codes.md and docs/commands.md.
// With --check, it writes nothing, lists the stale files, and exits with 1.

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { ownBundles } from './build/own-bundles.mjs';
import { codes } from './generate/codes.mjs';
import { commandReference } from './generate/commands.mjs';
import { codesPage, manPages } from './generate/man.mjs';
import { schemas } from './generate/schemas.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** The folders that hold only generated files. */
const FOLDERS = ['schemas', 'man'];

const source = await load(`
  export { z } from 'zod';
  export { CONTRACTS } from './src/contracts/index.ts';
  export { COMMANDS } from './src/commands/index.ts';
  export { programPage } from './src/cli/help.ts';
  export { HelpText, rolesOf } from './src/cli/help-text.ts';
  export { CODE_PAGES } from './src/cli/codes.ts';
`);
const { name, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const program = await source.programPage(source.COMMANDS);
const help = new source.HelpText({}, { width: 80, bold: (text) => text });
const files = {
  ...schemas(source),
  ...manPages(program, name, version),
  [`man/${name}-codes.7`]: codesPage(source, program, name, version),
  'docs/codes.md': codes(source, program),
  'docs/commands.md': commandReference(program, help),
};
const stale = [...Object.keys(files).filter(differs), ...leftovers()];

if (process.argv.includes('--check')) {
  for (const path of stale) console.error(`stale: ${path} (run 'npm run generate')`);
  process.exitCode = stale.length === 0 ? 0 : 1;
} else {
  for (const path of stale) {
    if (path in files) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), files[path]);
    } else {
      rmSync(join(root, path));
    }
    console.log(path);
  }
}

/** Bundles TypeScript into one file, and loads that. */
async function load(contents) {
  const directory = mkdtempSync(join(tmpdir(), 'thermos-generate-'));
  const outfile = join(directory, 'source.cjs');
  try {
    await build({
      absWorkingDir: root,
      stdin: { contents, resolveDir: root, loader: 'ts' },
      outfile,
      bundle: true,
      platform: 'node',
      format: 'cjs',
      target: 'node20',
      keepNames: true,
      define: { THERMOS_VERSION: '""' },
      external: ['ts-node', 'typescript', 'tsx'],
      plugins: [ownBundles],
      logLevel: 'warning',
    });
    return createRequire(outfile)(outfile);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function differs(path) {
  try {
    return readFileSync(join(root, path), 'utf8') !== files[path];
  } catch {
    return true;
  }
}

/** Files of commands and documents that no longer exist. */
function leftovers() {
  return FOLDERS.flatMap((folder) => {
    try {
      return readdirSync(join(root, folder)).map((name) => `${folder}/${name}`);
    } catch {
      return [];
    }
  }).filter((path) => !(path in files));
}
