import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { VersionDocument } from '../contracts/host.js';
import { PACKAGE_ROOT } from './dispatch.js';

declare const THERMOS_PYTHON: { readonly pyodide: string; readonly cpython: string };

/** What a release has written about itself; a build of the repository has no such file. */
const FACTS = 'release.json';

/** What the program consists of, and how it came here. Throws if the file of a release is damaged. */
export function whatIsInside(): Omit<VersionDocument, 'version' | 'node' | 'coordinator'> {
  return {
    v8: process.versions.v8,
    ...THERMOS_PYTHON,
    form: 'source',
    place: PACKAGE_ROOT,
    ...releaseFacts(),
  };
}

function releaseFacts(): Pick<VersionDocument, 'form' | 'commit' | 'built'> {
  let text: string;
  try {
    text = readFileSync(join(PACKAGE_ROOT, FACTS), 'utf8');
  } catch {
    return {};
  }
  const { form, commit, built } = JSON.parse(text);
  return { form, commit, built };
}
