import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { combineUsage } from '../../domain/usage/usage-report.ts';
import { imagesInUse } from '../../domain/usage/pod-usage.ts';
import { siteUsage } from '../../domain/usage/site-usage.ts';
import { parseDigest } from '../../domain/names/digest.ts';
import { parseSiteName } from '../../domain/names/kubernetes-name.ts';
import type { EdgeSite } from '../../domain/resources/edge-site.ts';
import { collectLeftovers } from '../../infra/bundle/collect-leftovers.ts';
import { SiteMail } from '../../infra/bundle/site-mail.ts';
import { takeInventory } from '../../infra/bundle/take-inventory.ts';
import { createToldUsage } from '../../infra/bundle/told-usage.ts';
import { BundleShelf } from '../../infra/storage/bundle-shelf.ts';
import { rejection } from '../support/refusal.ts';
import { bring, closeImportSite, first, newSite, onDisk, registry } from '../support/import-site.ts';
import { StageScene } from '../support/stage-scene.ts';

const day = 86_400_000;
const name = parseSiteName('plant-7');
let [scene, shelf] = [] as unknown as [StageScene, BundleShelf];
before(async () => {
  scene = await StageScene.open();
  shelf = new BundleShelf(scene.s3.store);
});
after(async () => {
  await scene.close();
  await closeImportSite();
});

/** An inventory of nothing that tells a usage. */
async function telling(texts: readonly string[], seen: number, by = site): Promise<Uint8Array> {
  const { bytes } = await takeInventory(
    { repository: () => assert.fail('not asked for') },
    {
      site: name,
      repositories: [],
      signer: await by.receiptSigner(),
      now: Date.now,
      usage: siteUsage(texts, at(seen)),
    },
  );
  return bytes;
}
const site = await newSite();
const at = (time: number): string => new Date(time).toISOString();
const mail = (now = Date.now()): SiteMail => new SiteMail(shelf, scene.cluster, () => new Date(now));
const edge = async (): Promise<EdgeSite> =>
  (await scene.cluster.resource('edgesites').get({ name })) ?? assert.fail('no site');
const told = async () => createToldUsage(shelf)(await edge());

test('J12 what an offline site tells of its Pods counts from when it was seen, and the newest word wins', async () => {
  const receiptKey = await site.receiptPublicKey();
  await scene.site(name, { reportsUsage: true, bundle: { receiptKey, usageMaxAge: '48h' } });
  await rejection('UsageUnknown', told());
  const now = Date.now();
  await mail().applyInventory(await telling(['app:2'], now - day), name);
  await mail().applyInventory(await telling(['app:1'], now - 2 * day), name);
  const { texts, observed, maxAgeMs } = await told();
  assert.deepEqual([texts, maxAgeMs], [['docker.io/library/app:2'], 2 * day]);
  assert.ok(observed !== undefined && Math.abs(observed - (now - day)) < 1000);
  const report = { source: name, observed, inUse: imagesInUse(texts), maxAgeMs: maxAgeMs ?? 0 };
  const missing = (later: number) => combineUsage([name], [report], now + later).missing;
  assert.deepEqual([missing(0), missing(0.9 * day), missing(1.1 * day)], [[], [], [name]]);
});

test('J12 a site whose clock is ahead makes its word no fresher, and its next word still counts', async () => {
  const now = Date.now();
  await mail(now).applyInventory(await telling(['app:3'], now + 400 * day), name);
  assert.ok(((await told()).observed ?? Infinity) <= now);
  await mail(now + 5000).applyInventory(await telling(['app:4'], now + 4000), name);
  assert.deepEqual((await told()).texts, ['docker.io/library/app:4']);
});

test('J12 a word that was altered, or is gone from the bucket, is no word', async () => {
  const digest = parseDigest((await edge()).status?.usage?.digest ?? '');
  const letter = (await shelf.usage(name, digest)) ?? assert.fail('no letter');
  await shelf.writeUsage(name, digest, await telling([], Date.now(), await newSite()));
  await rejection('SignatureInvalid', told());
  await shelf.store.delete(shelf.usageKey(name, digest));
  await rejection('UsageUnknown', told());
  await shelf.writeUsage(name, digest, letter);
  assert.deepEqual((await told()).texts, ['docker.io/library/app:4']);
});

test('words that a later one replaced leave the bucket, the newest stays', async () => {
  const keys = async (): Promise<number> => {
    let count = 0;
    for await (const { key } of shelf.store.list(`sites/${name}/usage/`)) count += key === '' ? 0 : 1;
    return count;
  };
  assert.equal(await keys(), 4);
  await collectLeftovers(shelf, [await edge()], Date.now() + 2 * day);
  assert.equal(await keys(), 1);
  assert.deepEqual((await told()).texts, ['docker.io/library/app:4']);
});

test('J12 a late receipt for a bundle that was collected still tells what is in use', async () => {
  const usage = siteUsage(['app:5'], at(Date.now() + 10_000));
  await bring(site, onDisk(first.files), { usage });
  const receipt = (await site.readReceipt(1)) ?? assert.fail('no receipt');
  const later = mail(Date.now() + 20_000);
  await rejection('WrongAudience', later.applyReceipt(receipt, await neighbour()));
  await rejection('BundleNotFound', later.applyReceipt(receipt, name));
  assert.deepEqual((await told()).texts, ['docker.io/library/app:5']);
  const { status } = (await scene.cluster.resource('edgesites').get({ name: 'plant-8' })) ?? {};
  assert.equal(status?.usage, undefined, 'a letter tells of its own site only');
});

/** Another site that pins the same key. */
async function neighbour(): Promise<typeof name> {
  await scene.site('plant-8', { bundle: { receiptKey: await site.receiptPublicKey() } });
  return parseSiteName('plant-8');
}

test('J12 an import signs the usage with the receipt, and run again with a newer one signs it anew', async () => {
  const path = onDisk(first.files);
  const importing = await newSite();
  const receiptOf = async () =>
    JSON.parse(
      Buffer.from(
        (JSON.parse(Buffer.from((await importing.readReceipt(1)) ?? []).toString()) as { payload: string })
          .payload,
        'base64',
      ).toString(),
    ) as { predicate: { usage?: { names: string[] } } };
  await bring(importing, path, { usage: siteUsage([`${registry.domain}/edge/app:v1`], at(Date.now())) });
  assert.deepEqual((await receiptOf()).predicate.usage?.names, [`${registry.domain}/edge/app:v1`]);
  const repeated = await bring(importing, path);
  assert.equal(repeated.receiptPath, undefined, 'nothing new to say');
  await bring(importing, path, { usage: siteUsage(['other:1'], at(Date.now())) });
  assert.deepEqual((await receiptOf()).predicate.usage?.names, ['docker.io/library/other:1']);
});
