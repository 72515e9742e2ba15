import assert from 'node:assert/strict';
import type { Browser, Page } from 'playwright-core';
import { watchedPage } from './browser.ts';
import { endpoints } from './stack.ts';

/** Somebody at the console, signed in with a token, in a browser of their own. */
export interface ConsolePerson {
  readonly page: Page;
  /** Errors of the page so far, but for those that `expected` names: refused resources, script errors, CSP. */
  troubles(expected?: RegExp): readonly string[];
  /** Goes to a view by its address after `#`, and waits until it is shown. */
  see(view: string): Promise<void>;
  /** Clicks the button with this name, where `near` is given in the form that has this field. */
  press(name: string | RegExp, near?: string): Promise<void>;
  /** Waits for the notice to say something. */
  told(what: RegExp): Promise<string>;
}

/** Opens the console and signs in. */
export async function consolePerson(browser: Browser, token: string, locale = 'en'): Promise<ConsolePerson> {
  const { page, troubles } = await watchedPage(browser, locale);
  const address = `${endpoints().api}/console`;
  await page.goto(address);
  await page.locator('#token').fill(token);
  await page.locator('#sign-in button').click();
  await page.locator('#view h2, #view [role=alert]').first().waitFor();
  return {
    page,
    troubles: (expected = /^$/) => troubles.filter((text) => !expected.test(text)),
    async see(view) {
      await page.goto(`${address}#/${view}`);
      await page.reload();
      // the audit log of a whole test run is long
      await page.locator('#view h2, #view [role=alert]').first().waitFor({ timeout: 60_000 });
    },
    async press(name, near) {
      const form = (field: string) => page.getByLabel(field).locator('xpath=ancestor::form');
      const place = near === undefined ? page.locator('body') : form(near);
      await place.getByRole('button', { name }).first().click();
    },
    async told(what) {
      const notice = page.locator('#notice', { hasText: what });
      await notice
        .waitFor()
        .catch(async () => assert.fail(`${what}: ${await page.locator('#notice').innerText()}`));
      return notice.innerText();
    },
  };
}
