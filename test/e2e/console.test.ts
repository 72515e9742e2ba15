import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before } from 'node:test';
import { demoRegistry } from '../../infra/local/demo/registry.ts';
import { freshNamespace, namespaceMember } from '../support/api-client.ts';
import { watchedPage } from '../support/browser.ts';
import { consolePerson } from '../support/console-person.ts';
import { asAdmin, inBrowser } from '../support/console-tests.ts';
import { liveSync, until } from '../support/live-sync.ts';
import { madeImage } from '../support/made-image.ts';
import { endpoints } from '../support/stack.ts';

const { api, registries, tokens } = endpoints();
const { upstream } = registries;
const from = demoRegistry(upstream);
let live: ReturnType<typeof liveSync>;
let ns = '';

before(async () => {
  ns = await freshNamespace('console');
  live = liveSync(ns);
});
after(() => live.close());

inBrowser('a token that the cluster refuses is told, and asked for again', async (started) => {
  const { page } = await watchedPage(started);
  await page.goto(`${api}/console`);
  await page.getByLabel('Bearer token').fill('not-a-token');
  await page.keyboard.press('Enter');
  await page.getByText('does not accept this token').waitFor();
  assert.ok(await page.locator('#sign-in').isVisible());
  assert.equal(await page.evaluate(() => sessionStorage.length), 0);
});

asAdmin(
  'a registry is tested before it is saved, saved, and its password is nowhere in the page',
  async (person) => {
    const { page } = person;
    await person.see(`sources?ns=${ns}`);
    await page.getByText('Add a registry').click();
    await page.getByLabel('Name', { exact: true }).fill('hub');
    await page.getByLabel('Domain').fill(upstream.domain);
    await page.getByLabel('User name').fill(upstream.username);
    await page.getByLabel('Password').fill('canary-password');
    await page.getByLabel('Provider').selectOption('other');
    await person.press('Test connection', 'Password');
    await person.told(/refused the user name or password/);
    await page.getByLabel('Password').fill(upstream.password);
    await person.press('Test connection', 'Password');
    await person.told(/Connection succeeded/);
    await person.press('Add', 'Password');
    await person.told(/hub: Done/);
    const row = page.getByRole('row', { name: 'hub' });
    await row.waitFor();
    await row.getByRole('button', { name: 'Test connection' }).click();
    await person.told(/Connection succeeded/);
    await row.getByText('connected', { exact: true }).waitFor();
    const typed = await page
      .locator('input')
      .evaluateAll((inputs) => inputs.map((one) => Reflect.get(one, 'value')));
    assert.ok(!(await page.content()).includes(upstream.password) && !typed.includes(upstream.password));
  },
);

asAdmin(
  'an image is added and seen to arrive without a reload; its details say where it is',
  async (person) => {
    const { page } = person;
    const path = `test/${live.unique('console')}`;
    await from.push(path, '1.0', madeImage([200_000, 30]));
    await person.see(`images?ns=${ns}`);
    await page.getByText('Add an image').click();
    await page.getByLabel('Name', { exact: true }).fill('shop');
    await page.getByLabel('Display name').first().fill('商店');
    await page.getByLabel('Registry').first().fill('hub');
    await page.getByLabel('Path', { exact: true }).fill(path);
    await page.getByLabel('Tag', { exact: true }).fill('1.0');
    await person.press('Add', 'Synced every');
    await person.told(/shop: Done/);
    const row = page.getByRole('row', { name: '商店' });
    await row.getByText('synced', { exact: true }).waitFor();
    await row.getByText('1 / 1').waitFor();
    await row.getByRole('link').click();
    await page.getByRole('row', { name: 'edge' }).getByText('there').waitFor();
    await page.getByRole('heading', { name: 'Manifest' }).waitFor();
    const story = await page.getByRole('link', { name: 'Temporal' }).first().getAttribute('href');
    assert.ok((await fetch(story ?? '')).ok, `the workflow's page ${story}`);
    await page.getByRole('link', { name: `${ns}/hub` }).click();
    await page.getByRole('link', { name: `${ns}/shop` }).waitFor();
  },
);

asAdmin('progress is live, and a sync is cancelled while it runs', async (person) => {
  const { page } = person;
  const path = `test/${live.unique('slow')}`;
  await from.push(path, '1', madeImage([3_000_000]));
  const site = await live.slowSite(registries.edge.domain, 300_000);
  const secret = await live.secret(upstream);
  const name = await live.repository(secret, { repository: path, tag: '1', sites: [site] });
  await person.see(`images/details?ns=${ns}&name=${name}`);
  await page.getByRole('button', { name: 'Cancel sync' }).waitFor();
  await until('progress', async () => {
    const value = await page.locator('progress').evaluate((bar) => Number(Reflect.get(bar, 'value')));
    return value > 5 ? value : undefined;
  });
  await person.press('Cancel sync');
  await person.told(/being stopped/);
  await page.getByRole('row', { name: 'cancelled' }).first().waitFor();
  assert.equal(await page.getByRole('button', { name: 'Cancel sync' }).count(), 0);
});

asAdmin('many are checked, added, found, sorted and deleted by their number', async (person) => {
  const { page } = person;
  const yaml = ['b', 'a', 'c'].map(
    (letter) => `kind: Repository
metadata: {name: many-${letter}}
spec: {repository: library/many-${letter}, tag: v1, registryRef: {name: hub}, suspend: true}`,
  );
  await person.see(`images?ns=${ns}`);
  await page.getByText('Add many from YAML').click();
  await page.getByLabel('YAML documents').fill(`${yaml.join('\n---\n')}\n---\n${yaml[0] ?? ''}`);
  await person.press('Check only', 'YAML documents');
  await page.locator('#batch', { hasText: '3 accepted, 1 refused' }).waitFor();
  assert.equal(await page.getByRole('row', { name: 'Select many-b' }).count(), 0);
  await page.getByLabel('YAML documents').fill(yaml.join('\n---\n'));
  await person.press('Add', 'YAML documents');
  await page.locator('#batch', { hasText: 'Finished: 3 done' }).waitFor();

  await page.getByLabel('Search').fill('many');
  await page.keyboard.press('Enter');
  await page.getByText('3 / 3 loaded').waitFor();
  const order = () => page.locator('#images tbody th').allInnerTexts();
  assert.deepEqual(await order(), ['many-a', 'many-b', 'many-c']);
  await page.getByRole('link', { name: 'Name', exact: true }).click();
  await page.locator('#images tbody th').first().filter({ hasText: 'many-c' }).waitFor();
  assert.deepEqual(await order(), ['many-c', 'many-b', 'many-a']);

  await page.getByLabel('Select all that are loaded').check();
  await page.getByText('Delete selected').first().click();
  await person.press('Check only', 'Type how many');
  await page.locator('#batch', { hasText: 'Dry run' }).waitFor();
  await page.getByLabel('Type how many').fill('2');
  await page.getByRole('button', { name: 'Delete selected' }).click();
  await page.locator('#batch', { hasText: 'does not match' }).waitFor();
  await page.getByLabel('Type how many').fill('3');
  await page.getByRole('button', { name: 'Delete selected' }).click();
  await page.locator('#batch', { hasText: 'Finished: 3 done' }).waitFor();
  await page.getByText('No image matches.').waitFor();
});

asAdmin(
  'an alias is edited; an earlier version is put back and released; deleting asks for the name',
  async (person) => {
    const { page } = person;
    const path = `test/${live.unique('versions')}`;
    await from.push(path, 'v', madeImage([1000]));
    const secret = await live.secret(upstream);
    const name = await live.repository(secret, { repository: path, tag: 'v' });
    await live.ended(name);
    await from.push(path, 'v', madeImage([2000]));
    await person.see(`images/details?ns=${ns}&name=${name}`);
    await person.press('Sync now');
    await page.getByRole('button', { name: 'Roll back to it' }).click();
    await person.told(/back|restored|rolled/i);
    await page.getByText('Pinned: the tag does not follow upstream').waitFor();
    await person.press(/Release/);
    await page.getByText('Pinned: the tag').waitFor({ state: 'detached' });

    await page.getByText('Edit', { exact: true }).click();
    await page.getByLabel('Display name').fill('网关');
    await person.press('Save');
    await page.getByRole('heading', { name: '网关' }).waitFor();
    await page.getByText('Delete', { exact: true }).first().click();
    await page.getByLabel('Type the name').fill('another');
    await person.press('Delete', 'Type the name');
    await person.told(/does not match/);
    await page.getByLabel('Type the name').fill(name);
    await person.press('Delete', 'Type the name');
    await person.told(/Deleted/);
    await page.getByRole('heading', { name: 'Images' }).waitFor();
  },
);

asAdmin(
  'a failed sync says why, with its code; what the API refuses too',
  async (person) => {
    const { page } = person;
    const secret = await live.secret(upstream);
    const name = await live.repository(secret, { repository: 'test/nowhere', tag: '1', retryCount: 0 });
    await live.ended(name);
    await person.see(`images/details?ns=${ns}&name=${name}`);
    await page.getByText('RepositoryNotFound').first().waitFor();
    await page
      .getByText(/no such repository/)
      .first()
      .waitFor();
    await person.see(`images/details?ns=${ns}&name=not-there`);
    const box = page.getByRole('alert');
    assert.match(await box.innerText(), /NotFound\s+HTTP 404\s+request \S+/);
  },
  /404/,
);

inBrowser('a viewer sees and is refused; who may see one namespace only is asked for it', async (started) => {
  const viewer = await consolePerson(started, tokens.viewer);
  const secret = await live.secret(upstream);
  await viewer.see(`sources/details?ns=${ns}&name=${secret}`);
  await viewer.press('Test connection');
  assert.match(await viewer.told(/cannot create registrysecrets\/verify/), /AccessDenied/);
  await viewer.page.context().close();

  const member = await consolePerson(started, await namespaceMember(ns, 'viewer'));
  await member.page.getByText('You may not look into all namespaces').waitFor();
  await member.page.getByLabel('Namespace').fill(ns);
  await member.page.keyboard.press('Enter');
  await member.page.getByText(/\d+ \/ \d+ loaded/).waitFor();
  await member.page.context().close();
});

asAdmin(
  'on a telephone the navigation is one line, and a row shows its status without scrolling',
  async (person) => {
    const { page } = person;
    await page.setViewportSize({ width: 390, height: 844 });
    const name = await live.repository(await live.secret(upstream), {
      repository: 'test/nowhere',
      tag: '1',
      retryCount: 0,
    });
    await live.ended(name);
    await person.see(`images?ns=${ns}&search=${name}`);
    const row = page.getByRole('row', { name });
    const status = await row.getByText('failed', { exact: true }).boundingBox();
    assert.ok(status !== null && status.x + status.width <= 390, JSON.stringify(status));
    assert.equal(await row.locator('.col-status').getAttribute('data-label'), 'Status');
    const navigation = await page.getByRole('navigation').boundingBox();
    assert.ok(navigation !== null && navigation.height < 60, JSON.stringify(navigation));
  },
);

asAdmin('sites, storage and the audit log are shown; the log is saved as a file', async (person) => {
  const { page } = person;
  await person.see('sites?search=edge');
  await page.getByRole('row', { name: 'edge' }).first().waitFor();
  await person.see('storage');
  await page.getByText(/Measured/).waitFor();
  await person.see(`audit?namespace=${ns}&verb=create`);
  await page
    .getByRole('row', { name: `${ns}/hub` })
    .first()
    .waitFor();
  const [file] = await Promise.all([page.waitForEvent('download'), person.press('Export as NDJSON')]);
  const records = readFileSync(await file.path(), 'utf8')
    .trimEnd()
    .split('\n');
  assert.ok(records.length > 0 && records.every((line) => JSON.parse(line).object.namespace === ns));
});

inBrowser('every view speaks Chinese, labels every control, and is reached by keyboard', async (started) => {
  const person = await consolePerson(started, tokens.admin, 'zh-CN');
  const { page } = person;
  const titles = {
    images: '镜像',
    sources: '镜像仓库源',
    sites: '边缘站点',
    bundles: '离线包',
    cleanup: '清理',
    storage: '存储',
    audit: '审计',
  };
  for (const [view, title] of Object.entries(titles)) {
    await person.see(view);
    await page.getByRole('heading', { name: title, level: 2 }).waitFor();
    const controls = page.locator('#view :is(input:not([type=hidden]), select, textarea, button)');
    const unnamed = await controls.evaluateAll((elements) =>
      elements
        .filter((one) => {
          const labels = [...((Reflect.get(one, 'labels') as Iterable<object> | null) ?? [])];
          const text = String(Reflect.get(one, 'textContent')).trim();
          return labels.length === 0 && text === '' && !one.hasAttribute('aria-label');
        })
        .map((one) => one.outerHTML),
    );
    assert.deepEqual(unnamed, [], view);
  }
  await page.getByRole('link', { name: '跳到正文' }).press('Enter');
  assert.equal(await page.locator(':focus').getAttribute('id'), 'view');
  await page.getByRole('link', { name: '镜像', exact: true }).press('Tab');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: '镜像仓库源', level: 2 }).waitFor();
  await page.getByRole('link', { name: 'English' }).click();
  await page.getByRole('heading', { name: 'Registries' }).waitFor();
  assert.deepEqual(person.troubles(), []);
  await page.context().close();
});
