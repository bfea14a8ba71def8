import type { Page } from 'playwright-core';

/**
 * What is on a page that can run, load or leave, other than the styles and scripts that its policy names, and links that
 * are meant: those whose address matches.
 */
export function strangersOn(page: Page, meant: RegExp): Promise<string[]> {
  return page.evaluate((source) => {
    const strangers: string[] = [];
    const forbidden =
      /^(?:iframe|object|embed|img|base|form|audio|video|frame|portal|foreignobject|noscript|template)$/i;
    for (const element of document.querySelectorAll('*')) {
      const name = element.localName;
      if (forbidden.test(name)) strangers.push(`<${name}>`);
      for (const { name: attribute, value } of element.attributes) {
        const isLink = /(?:^|:)(?:href|src|action|formaction|data)$/.test(attribute);
        const isMeant = value.startsWith('#') || new RegExp(source).test(value) || name === 'link';
        if (attribute.startsWith('on') || (isLink && !isMeant)) {
          strangers.push(`<${name} ${attribute}=${value}>`);
        }
      }
    }
    const policy = document.querySelector<HTMLMetaElement>('meta[http-equiv="Content-Security-Policy"]');
    const named = (directive: string) =>
      new RegExp(`${directive} ([^;]*)`).exec(policy?.content ?? '')?.[1]?.split(' ').length ?? 0;
    const scripts = [...document.scripts].filter(({ type }) => type !== 'application/json').length;
    if (scripts !== named('script-src')) strangers.push(`${scripts} scripts`);
    const styles = document.styleSheets.length;
    if (styles !== named('style-src')) strangers.push(`${styles} style sheets`);
    const metas = document.querySelectorAll('meta[http-equiv]').length;
    if (metas !== 1) strangers.push(`${metas} metas`);
    return strangers;
  }, meant.source);
}
