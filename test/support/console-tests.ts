import assert from 'node:assert/strict';
import { after, before, test, type TestContext } from 'node:test';
import type { Browser } from 'playwright-core';
import { startBrowser } from './browser.ts';
import { consolePerson, type ConsolePerson } from './console-person.ts';
import { endpoints } from './stack.ts';

let browser: Browser | undefined;
let missing = '';
before(async () => {
  const started = await startBrowser();
  if ('browser' in started) browser = started.browser;
  else missing = started.missing;
});
after(() => browser?.close());

/** A test in the browser; where no browser can be had it says so, loudly, and is skipped. */
export function inBrowser(name: string, body: (browser: Browser) => Promise<void>): void {
  test(name, async (context: TestContext) => {
    if (browser === undefined) {
      process.stderr.write(`THE CONSOLE WAS NOT TESTED IN A BROWSER: ${missing}\n`);
      return context.skip(`no browser: ${missing.split('\n')[0] ?? ''}`);
    }
    await body(browser);
  });
}

/** Does something with the console as the admin and makes sure that the page had no trouble. */
export function asAdmin(
  name: string,
  body: (person: ConsolePerson) => Promise<void>,
  expected?: RegExp,
): void {
  inBrowser(name, async (started) => {
    const person = await consolePerson(started, endpoints().tokens.admin);
    try {
      await body(person);
      assert.deepEqual(person.troubles(expected), []);
    } catch (error) {
      const shot = process.env['IMAGEFERRY_SCREENSHOTS'];
      if (shot !== undefined) await person.page.screenshot({ path: `${shot}/${name.slice(0, 30)}.png` });
      throw error;
    } finally {
      await person.page.context().close();
    }
  });
}
