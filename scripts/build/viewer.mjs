import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { build } from 'esbuild';
import { checkForBrowsers, forBrowsers } from './for-browsers.mjs';
import { inlineModule } from './inline.mjs';

const FOLDER = 'src/report/viewer/browser';
const STYLES = ['src/report/page/page.css', 'src/report/list/list.css', `${FOLDER}/viewer.css`];

/** The viewer as one page, and what it is made of: `{ page, metafile }`. */
export async function buildViewer(root, define) {
  const { outputFiles, metafile } = await build({
    ...forBrowsers,
    absWorkingDir: root,
    entryPoints: [`${FOLDER}/main.ts`],
    define: { ...forBrowsers.define, ...define },
    outdir: 'out',
  });
  checkForBrowsers(metafile);
  const program = outputFiles[0].text.trim();
  const inlined = await Promise.all(
    [...STYLES, `${FOLDER}/frame.ts`, `${FOLDER}/start.ts`].map((path) => inlinedIn(join(root, path))),
  );
  const styles = inlined.slice(0, STYLES.length);
  const [frame, start] = inlined.slice(STYLES.length);
  const policy = [
    "default-src 'none'",
    // Agents allow others to load nothing else. Frames have the policy of the page, which is why it names their program.
    `script-src '${start.hash}' '${hashOf(program)}' '${frame.hash}' http: https:`,
    `style-src ${styles.map(({ hash }) => `'${hash}'`).join(' ')}`,
    'img-src data:',
    "connect-src 'none'",
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  const words = {
    POLICY: policy,
    STYLES: styles.map(({ text }) => `<style>${text}</style>`).join(''),
    PROGRAM: deflateRawSync(program, { level: 9 }).toString('base64'),
    START: start.text,
  };
  const page = readFileSync(join(root, FOLDER, 'viewer.html'), 'utf8')
    .replace(/<!--[\s\S]*?-->\n?/g, '')
    .replace(/\n\s*/g, '\n')
    .replace(/__([A-Z]+)__/g, (_, word) => words[word]);
  return { page, metafile };
}

const hashOf = (text) => `sha256-${createHash('sha256').update(text).digest('base64')}`;

async function inlinedIn(path) {
  const code = await inlineModule(path);
  return import(`data:text/javascript;base64,${Buffer.from(code).toString('base64')}`);
}
