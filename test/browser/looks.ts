import type { Page } from 'playwright-core';
import { expect } from 'vitest';

/** Small and large screens, light and dark. */
export const LOOKS = [1280, 400].flatMap((width) =>
  (['light', 'dark'] as const).map((colorScheme) => ({ width, colorScheme })),
);

export function unfoldAll(page: Page): Promise<void> {
  return page.evaluate(() => {
    for (const details of document.querySelectorAll('details')) details.open = true;
  });
}

/** How much wider than the screen the page is. */
export function overflowOf(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}

/** No screen has to be scrolled sideways to read the page. */
export async function expectToFit(page: Page): Promise<void> {
  for (const { width, colorScheme } of LOOKS) {
    await page.setViewportSize({ width, height: 800 });
    await page.emulateMedia({ colorScheme });
    expect(`${width}, ${colorScheme}: ${await overflowOf(page)}`).toBe(`${width}, ${colorScheme}: 0`);
  }
}
