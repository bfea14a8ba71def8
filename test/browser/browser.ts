import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterEach, inject } from 'vitest';

/** As long as a test has for one step of a page, milliseconds: a busy machine may stand still for a while. */
const PATIENCE_MS = 120_000;
const CLOSING_MS = 10_000;

export interface Look {
  width?: number;
  height?: number;
  colorScheme?: 'light' | 'dark';
  javaScript?: boolean;
}

/** What a page did beside showing itself. */
export interface Heard {
  /** What it asked for, the page itself included. */
  requests: string[];
  /** What its content security policy refused: `DIRECTIVE BLOCKED`. */
  violations: string[];
  /** What it said with `alert`, `confirm` and `prompt`. */
  dialogs: string[];
  /** What was written to the console, by the browser too, and errors that nothing caught. */
  console: string[];
}

/** Of one page that only shows itself. */
export function silent(url: string): Heard {
  return { requests: [url], violations: [], dialogs: [], console: [] };
}

let connected: Promise<Browser> | undefined;
const contexts: BrowserContext[] = [];

/** Opens a page in a new profile, which is removed after the test. Answers when the page is loaded and drawn. */
export async function open(
  url: string,
  { width = 1280, height = 800, colorScheme = 'light', javaScript = true }: Look = {},
): Promise<{ page: Page; heard: Heard }> {
  connected ??= chromium.connect(inject('browser'), { timeout: PATIENCE_MS });
  const browser = await connected;
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme,
    javaScriptEnabled: javaScript,
    locale: 'en-GB',
    timezoneId: 'UTC',
  });
  contexts.push(context);
  context.setDefaultTimeout(PATIENCE_MS);
  const heard: Heard = { requests: [], violations: [], dialogs: [], console: [] };
  await context.exposeBinding('hearViolation', (_, text: string) => heard.violations.push(text));
  await context.addInitScript(() => {
    addEventListener('securitypolicyviolation', ({ effectiveDirective, blockedURI }) => {
      (globalThis as unknown as { hearViolation: (text: string) => void }).hearViolation(
        `${effectiveDirective} ${blockedURI}`,
      );
    });
  });
  const page = await context.newPage();
  page.on('request', (request) => heard.requests.push(request.url()));
  page.on('console', (message) => heard.console.push(message.text()));
  page.on('pageerror', (error) => heard.console.push(String(error)));
  page.on('dialog', (dialog) => {
    heard.dialogs.push(dialog.message());
    void dialog.dismiss();
  });
  await page.goto(url);
  await settle(page);
  return { page, heard };
}

/** Waits until what the page did so far is heard: the browser tells everything in its order. */
export async function settle(page: Page): Promise<void> {
  // Unlike evaluate, it goes on if the page is loaded again in between.
  await page.waitForFunction(() => document.readyState !== 'loading');
}

/** Closes the pages of a test. Call it once at the top of each file that opens some. */
export function closePagesAfterEach(): void {
  afterEach(async () => {
    for (const context of contexts.splice(0)) await Promise.race([context.close(), late()]);
  });
}

/** A profile whose page is just being loaded again may never close: it ends with the browser. */
function late(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, CLOSING_MS).unref());
}
