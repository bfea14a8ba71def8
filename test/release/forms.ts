import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY } from '../e2e/harness.js';

/** What `npm run release` has made. */
export const RELEASE = join(REPOSITORY, 'release');

export const { version: VERSION } = JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8'));
export const NAME = `thermos-${VERSION}-linux-x64`;
export const ARCHIVE = made(`${NAME}.tar.xz`);
export const ONE_FILE = made(NAME);
export const NPM = made(`thermos-${VERSION}.tgz`);

function made(name: string): string {
  return join(RELEASE, name);
}

/** Throws if a part was not made. */
export function expectMade(...files: string[]): void {
  for (const file of files) {
    if (!existsSync(file)) throw new Error(`${file} is missing: make it by 'npm run release -- --quick'`);
  }
}
