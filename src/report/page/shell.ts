import { visible } from '../../text/escape.js';
import { type Html, html, markup } from './html.js';
import { text as css, hash as cssHash } from './page.css?inline';
import { text as script, hash as scriptHash } from './script/main.ts?inline';
import { SPRITE, type Tone } from './state.js';

/** A style sheet or a script for a page, and its hash: see inline.d.ts. */
export interface Inlined {
  readonly text: string;
  readonly hash: string;
}

export interface PageShell {
  /** Not escaped. */
  title: string;
  /** Of the icon of its tab. */
  tone: Tone;
  body: Html;
  /** After how many seconds a browser loads the page again. */
  refresh?: number;
  /** Besides the style sheet and the script that all pages have. */
  styles?: readonly Inlined[];
  scripts?: readonly Inlined[];
}

const ICON_COLOURS: Readonly<Record<Tone, string>> = {
  good: '1a7f37',
  bad: 'cf222e',
  live: '0969da',
  wait: '9a6700',
  none: '6e7781',
};

/**
 * A whole page as one file: nothing in it loads anything or refers to another file, and its policy tells browsers not
 * to. It runs no script but those given. Pure.
 */
export function pageOf({ title, tone, body, refresh, styles = [], scripts = [] }: PageShell): string {
  const allStyles = [{ text: css, hash: cssHash }, ...styles];
  const allScripts = [{ text: script, hash: scriptHash }, ...scripts];
  const icon = `data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'><circle cx='8' cy='8' r='8' fill='%23${ICON_COLOURS[tone]}'/></svg>`;
  const head = html`
    <meta charset="utf-8" />
    <meta http-equiv="Content-Security-Policy" content=${policy(allStyles, allScripts)} />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="color-scheme" content="light dark" />
    <meta name="referrer" content="no-referrer" />
    ${refresh !== undefined && html`<meta http-equiv="refresh" content=${String(refresh)} />`}
    <title>${visible(title)}</title>
    <link rel="icon" href=${icon} />`;
  const tags = (tag: string, all: readonly Inlined[]) =>
    all.map(({ text }) => `<${tag}>${text}</${tag}>`).join('');
  return [
    `<!doctype html><html lang="en"><head>${markup(head)}${tags('style', allStyles)}</head><body>`,
    SPRITE,
    markup(body),
    `${tags('script', allScripts)}</body></html>\n`,
  ].join('');
}

function policy(styles: readonly Inlined[], scripts: readonly Inlined[]): string {
  const hashes = (all: readonly Inlined[]) => all.map(({ hash }) => `'${hash}'`).join(' ');
  return [
    "default-src 'none'",
    `style-src ${hashes(styles)}`,
    `script-src ${hashes(scripts)}`,
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
}
