import { dirname, resolve } from 'node:path';
// @ts-expect-error: no types
import { INLINE, inlineModule } from '../scripts/build/inline.mjs';

/** What scripts/build/inline.mjs is for esbuild. */
export const inlinePlugin = {
  name: 'inline',
  enforce: 'pre' as const,
  resolveId(id: string, importer: string | undefined) {
    if (!INLINE.test(id) || importer === undefined) return undefined;
    // Vite would see to a style sheet itself.
    return `\0inline:${resolve(dirname(importer), id.replace(INLINE, '')).replace(/\.css$/, '.css-text')}`;
  },
  load(id: string): Promise<string> | undefined {
    const [, path] = /^\0inline:(.*)$/.exec(id) ?? [];
    return path === undefined ? undefined : inlineModule(path.replace(/\.css-text$/, '.css'));
  },
};
