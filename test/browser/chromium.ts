import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';
import type { TestProject } from 'vitest/node';

/** Where Debian puts it. Another one, such as Chrome, is named by THERMOS_TEST_CHROMIUM. */
const CHROMIUM = '/usr/bin/chromium';

/** A slow machine may need this long to start it, milliseconds. */
const PATIENCE_MS = 120_000;

const FLAGS = [
  // It tests our own pages, as root too, and in containers: there is no sandbox for that.
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // Containers have a small one.
  '--disable-dev-shm-usage',
  // No name leads anywhere: what is not on this machine is not reached.
  '--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1',
];

declare module 'vitest' {
  interface ProvidedContext {
    /** The address of the browser that all tests share. */
    browser: string;
  }
}

/** Starts a browser with a new profile for one run of the tests; stops it after them. */
export default async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  const executablePath = process.env.THERMOS_TEST_CHROMIUM || CHROMIUM;
  if (!existsSync(executablePath)) {
    throw new Error(
      `${executablePath} is not there. Install it (Debian: apt-get install chromium), or let THERMOS_TEST_CHROMIUM name a Chromium or Chrome.`,
    );
  }
  const server = await chromium.launchServer({
    executablePath,
    args: FLAGS,
    headless: true,
    timeout: PATIENCE_MS,
  });
  provide('browser', server.wsEndpoint());
  return () => server.close();
}
