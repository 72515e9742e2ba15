import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { demoRegistry } from '../../infra/local/demo/registry.ts';
import { asAdmin } from '../support/console-tests.ts';
import { liveLifecycle } from '../support/live-lifecycle.ts';
import { liveSync, until } from '../support/live-sync.ts';
import { madeImage } from '../support/made-image.ts';
import { offlineHub } from '../support/offline-hub.ts';
import { startRegistryProcess } from '../support/registry-process.ts';
import { endpoints } from '../support/stack.ts';

const { upstream } = endpoints().registries;
const from = demoRegistry(upstream);
// A policy covers a namespace: other tests' images must not be in it.
const live = liveSync(`console-${randomBytes(3).toString('hex')}`);
const cycle = liveLifecycle(live);
const folder = mkdtempSync(join(tmpdir(), 'imageferry-console-'));
const hub = offlineHub(folder);
let secret = '';

before(async () => {
  await cycle.createNamespace();
  secret = await live.secret(upstream);
  await hub.sign();
});
after(async () => {
  await live.close();
  rmSync(folder, { recursive: true, force: true });
});

asAdmin(
  'a bundle is staged, saved as a file, imported, and its receipt brought back, all by clicks',
  async (person) => {
    const { page } = person;
    const edge = await startRegistryProcess();
    try {
      const site = live.unique('plant');
      await (
        await hub.site(site, edge.domain, 'state')
      )();
      const path = `test/${live.unique('offline')}`;
      const image = madeImage([200_000]);
      await from.push(path, '1', image);
      await live.ended(await live.repository(secret, { repository: path, tag: '1', sites: [site] }));

      // what a browser without a file picker does; the other way is below
      await page.addInitScript(() => Reflect.deleteProperty(globalThis, 'showSaveFilePicker'));
      await person.see(`bundles?site=${site}`);
      await person.press('Stage what is missing');
      await person.told(/./);
      const row = (number: number) =>
        page
          .locator('#bundles tbody tr')
          .filter({ has: page.getByRole('rowheader', { name: `${number}`, exact: true }) });
      await row(1).getByText('in a bundle').waitFor({ timeout: 60_000 });

      const save = row(1).getByRole('button', { name: 'Download' });
      const [file] = await Promise.all([page.waitForEvent('download'), save.click()]);
      assert.equal(file.suggestedFilename(), `${site}-1.tar`);
      copyFileSync(await file.path(), join(folder, 'saved.tar'));
      await hub.ferry('bundle', 'import', 'saved.tar', '--registry', edge.domain, '--state', 'state');
      const accept = 'application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json';
      const there = await fetch(`http://${edge.domain}/v2/${path}/manifests/1`, { headers: { accept } });
      assert.ok(image.index.bytes.equals(Buffer.from(await there.arrayBuffer())));

      const receipt = join(folder, 'state/receipts/1.json');
      const text = page.getByLabel('or its text');
      const take = () => person.press('Take a receipt', 'or its text');
      await page.locator('summary', { hasText: 'Take a receipt' }).click();
      await text.fill('hello');
      await take();
      await person.told(/This is not a receipt/);
      const envelope = JSON.parse(readFileSync(receipt, 'utf8')) as { signatures: { sig: string }[] };
      for (const signature of envelope.signatures) signature.sig = Buffer.alloc(64).toString('base64');
      writeFileSync(join(folder, 'forged.json'), JSON.stringify(envelope));
      await page.getByLabel('Receipt file').setInputFiles(join(folder, 'forged.json'));
      await until(
        'the forged file is read',
        async () => (await text.inputValue()).startsWith('{') || undefined,
      );
      await take();
      await person.told(/SignatureInvalid|signature/i);
      await page.getByLabel('Receipt file').setInputFiles(receipt);
      const wanted = readFileSync(receipt, 'utf8').trim();
      await until('the file is read', async () => (await text.inputValue()).trim() === wanted || undefined);
      await take();
      await person.told(/: 1/);
      await row(1).getByText('acknowledged', { exact: true }).waitFor();
      await row(1).getByText('1 image imported').waitFor();

      await person.press('Stage everything');
      await row(2).getByText('full', { exact: true }).waitFor();
      await row(2).getByText('in a bundle').waitFor({ timeout: 60_000 });
    } finally {
      await edge.stop();
    }
  },
  /HTTP|status of 4\d\d/,
);

asAdmin('a plan is made and approved, one tag is put back alone, then all', async (person) => {
  const { page } = person;
  const path = `test/${live.unique('plan')}`;
  const tags = ['1.0.0', '1.1.0', '1.2.0', '1.3.0'];
  for (const [index, tag] of tags.entries()) await from.push(path, tag, madeImage([700 + index]));
  const repository = { repository: path, tag: '1.3.0', tagSelector: { semver: '>=1' } };
  await live.ended(await live.repository(secret, repository));
  const policy = await cycle.policy({ keepRecent: 1, requireApproval: true, gracePeriod: '10m' });
  const shown = async (): Promise<string[]> => {
    const digests = await Promise.all(tags.map((tag) => cycle.edgeDigest(path, tag)));
    return tags.filter((_, index) => digests[index] !== undefined);
  };
  const plan = `cleanup/plan?ns=${live.namespace}&name=${policy}&search=${path}`;

  await person.see(`cleanup?ns=${live.namespace}`);
  await person.press(`Plan now ${policy}`);
  await person.told(/./);
  await cycle.phase(policy, 'AwaitingApproval');
  await page.getByRole('link', { name: policy }).click();
  await page.getByRole('button', { name: 'Approve this plan' }).waitFor();
  assert.deepEqual(await shown(), tags);
  await person.press('Approve this plan');
  await person.told(/./);
  await until('what the plan lists is gone', async () => (await shown()).length === 1 || undefined);
  await cycle.phase(policy, 'Grace');

  await person.see(plan);
  const row = page.getByRole('row').filter({ has: page.getByRole('rowheader', { name: '1.1.0' }) });
  await row.getByText('parked', { exact: true }).waitFor();
  await row.getByRole('button', { name: 'Restore', exact: true }).click();
  await person.told(/1 restored/);
  await row.getByText('restored', { exact: true }).waitFor();
  assert.deepEqual(await shown(), ['1.1.0', '1.3.0']);
  await person.press('Restore all that is parked');
  await person.told(/restored/);
  await page.getByRole('button', { name: 'Restore all that is parked' }).waitFor({ state: 'detached' });
  assert.deepEqual(await shown(), tags);
});
