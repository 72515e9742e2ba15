import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { MockActivityEnvironment } from '@temporalio/testing';
import { createBundleActivities } from '../../activities/bundle.ts';
import type { BundleDependencies } from '../../activities/bundle-dependencies.ts';
import { openInventory } from '../../domain/bundle/inventory.ts';
import { parseStatement } from '../../domain/bundle/parse-statement.ts';
import type { BundleBlob } from '../../domain/bundle/statement.ts';
import { parseSiteName } from '../../domain/names/kubernetes-name.ts';
import { parseRepositoryPath } from '../../domain/names/repository-path.ts';
import { parseTag } from '../../domain/names/tag.ts';
import type { RepositorySpec, SiteStatus } from '../../domain/resources/repository.ts';
import { parseEnvelope } from '../../domain/trust/envelope.ts';
import { parsePublicKeyPem } from '../../domain/trust/public-key.ts';
import { fetchBundle } from '../../infra/bundle/fetch-bundle.ts';
import { emptyInbox, type InboxReport } from '../../infra/bundle/inbox.ts';
import { importBundle } from '../../infra/bundle/import-bundle.ts';
import { SiteMail } from '../../infra/bundle/site-mail.ts';
import { takeInventory } from '../../infra/bundle/take-inventory.ts';
import { openBundleMedium } from '../../infra/layout/open-medium.ts';
import { SiteFolder } from '../../infra/layout/site-folder.ts';
import { listRepositories } from '../../infra/registry/catalog.ts';
import { RegistryStore } from '../../infra/registry/registry-store.ts';
import { poolKey } from '../../infra/storage/blob-pool.ts';
import { BundleShelf } from '../../infra/storage/bundle-shelf.ts';
import { verifyEd25519 } from '../../infra/trust/ed25519.ts';
import { rejection } from '../support/refusal.ts';
import { startRegistryProcess, type RegistryProcess } from '../support/registry-process.ts';
import { pushSample, randomBlob, sampleImage, sampleIndex } from '../support/sample-image.ts';
import { rootOf } from '../support/signed-samples.ts';
import { StageScene } from '../support/stage-scene.ts';

const folder = mkdtempSync(join(tmpdir(), 'imageferry-mail-'));
let [scene, edge] = [] as unknown as [StageScene, RegistryProcess];
before(async () => {
  [scene, edge] = await Promise.all([StageScene.open(), startRegistryProcess()]);
});
after(async () => {
  await scene.close();
  await edge.stop();
  rmSync(folder, { recursive: true, force: true });
});

const shelf = (): BundleShelf => new BundleShelf(scene.s3.store);
const mail = (): SiteMail => new SiteMail(shelf(), scene.cluster, () => new Date());
/** One pass over the bucket's inbox, as the hub's step takes it. */
const inbox = async (): Promise<InboxReport> => {
  const empty: BundleDependencies['emptyInbox'] = (around) => emptyInbox(scene.s3.store, mail(), around);
  const steps = createBundleActivities({ ...scene.deps(), emptyInbox: empty });
  return new MockActivityEnvironment().run(() => steps.takeSiteMail());
};
/** What the audit log was told of letters of a site, in order. */
const audited = (name: string): string[] =>
  scene.audit.told
    .filter(({ fact }) => fact.trigger === 'inbox' && fact.object.name === name)
    .map(({ stage, fact }) => `${fact.verb} ${stage}`);
const clientOfEdge = () => scene.clients.of({ domain: edge.domain, provider: 'other' });
const atEdge = (path: string): RegistryStore =>
  new RegistryStore(clientOfEdge(), parseRepositoryPath(path), 'destination');

/** A site with trust, a key for receipts, and an EdgeSite that knows the key. */
async function newSite(name: string): Promise<SiteFolder> {
  const site = new SiteFolder(join(folder, name));
  await site.pin(parseSiteName(name), scene.rootBytes, '2026-01-01T00:00:00.000Z');
  await scene.site(name, { bundle: { receiptKey: await site.receiptPublicKey() } });
  return site;
}

async function carry(name: string, sequence: number, site: SiteFolder): Promise<void> {
  const to = join(folder, `${name}-${sequence}`);
  const roots = async (version: number) =>
    (await shelf().roots()).find((each) => each.version === version)?.bytes;
  const blob = ({ digest }: BundleBlob, from: number) => scene.s3.store.stream(poolKey(digest), from);
  const origin = { manifest: shelf().manifest.bind(shelf()), root: roots, blob };
  const trust = rootOf(1, [scene.signer]);
  await fetchBundle(origin, { site: parseSiteName(name), sequence, trust, to });
  const medium = await openBundleMedium(to);
  try {
    await importBundle({ medium, folder: site, repository: atEdge }, { now: Date.now });
  } finally {
    await medium.close();
  }
}

async function image(
  repository: string,
  spec: Partial<RepositorySpec> & { sites: string[] },
  layers: number[],
) {
  const made = sampleImage(layers.map(randomBlob));
  await pushSample(scene.store(`apps/${repository}`), made.blobs, [made.manifest], 'v1');
  const key = { namespace: 'default', name: repository };
  if ((await scene.cluster.resource('repositories').get(key)) === undefined) {
    await scene.repository(repository, spec);
  }
  return made;
}

async function stateOf(name: string, site: string): Promise<SiteStatus | undefined> {
  const found = await scene.cluster.resource('repositories').get({ namespace: 'default', name });
  return found?.status?.sites?.find((entry) => entry.site === site);
}

const receiptOf = async (site: SiteFolder, sequence: number): Promise<Uint8Array> =>
  (await site.readReceipt(sequence)) ?? assert.fail('no receipt');
const baseOf = async (name: string): Promise<number | undefined> =>
  (await scene.cluster.resource('edgesites').get({ name }))?.status?.acknowledged?.sequence;

test('a receipt left in the bucket is picked up, moves the base and ends "on its way"', async () => {
  const site = await newSite('yard');
  await image('yard-app', { sites: ['yard'] }, [2000]);
  await scene.stage({ site: 'yard', kind: 'delta' });
  assert.equal((await stateOf('yard-app', 'yard'))?.state, 'Staged');
  await carry('yard', 1, site);
  await scene.s3.store.write('inbox/from-the-disk.json', await receiptOf(site, 1));
  await scene.s3.store.write('inbox/an odd name.json', Buffer.from('no letter'));
  const report = await inbox();
  assert.deepEqual(report.taken, ['receipt of yard for bundle 1: advance']);
  assert.match(report.refused.join(), /^an_odd_name.json: The signature is not valid/);
  assert.equal((await stateOf('yard-app', 'yard'))?.state, 'Synced');
  assert.equal(await baseOf('yard'), 1);
  assert.deepEqual(await inbox(), { taken: [], refused: [], waiting: 0 });
  assert.deepEqual(audited('yard'), ['receipt Requested', 'receipt Completed']);
});

test('a receipt whose site has no key yet waits in the bucket until it has', async () => {
  const site = await newSite('keyless');
  await image('keyless-app', { sites: ['keyless'] }, [2000]);
  await scene.stage({ site: 'keyless', kind: 'delta' });
  await carry('keyless', 1, site);
  const sites = scene.cluster.resource('edgesites');
  await sites.patch({ name: 'keyless' }, { spec: { bundle: { receiptKey: null } } });
  await scene.s3.store.write('inbox/a.json', await receiptOf(site, 1));
  assert.equal((await inbox()).waiting, 1);
  assert.deepEqual(audited('keyless'), [], 'it would be told of at every pass');
  const receiptKey = await site.receiptPublicKey();
  await sites.patch({ name: 'keyless' }, { spec: { bundle: { receiptKey } } });
  assert.equal((await inbox()).taken.length, 1);
  assert.equal(await baseOf('keyless'), 1);
});

test('receipts in any order and at once: the base never goes back, and no writer loses another’s word', async () => {
  const [one, two] = [await newSite('dock'), await newSite('pier')];
  await image('port', { sites: ['dock', 'pier'] }, [2000]);
  for (const name of ['dock', 'pier']) await scene.stage({ site: name, kind: 'full' });
  await carry('dock', 1, one);
  await carry('pier', 1, two);
  await image('port', { sites: ['dock', 'pier'] }, [3000]);
  await scene.stage({ site: 'dock', kind: 'full' });
  await carry('dock', 2, one);
  const repositories = scene.cluster.resource('repositories');
  const uid = (await repositories.get({ namespace: 'default', name: 'port' }))?.metadata.uid ?? '';
  const busy = Array.from({ length: 20 }, (_, percent) =>
    repositories.updateStatus({ namespace: 'default', name: 'port' }, uid, ({ status }) => ({
      ...status,
      syncProgress: `${percent}%`,
    })),
  );
  const verdicts = await Promise.all([
    mail().applyReceipt(await receiptOf(one, 2), parseSiteName('dock')),
    mail().applyReceipt(await receiptOf(two, 1), parseSiteName('pier')),
    mail().applyReceipt(await receiptOf(one, 1), parseSiteName('dock')),
    ...busy,
  ]);
  assert.ok(verdicts.length > 20);
  assert.deepEqual([await baseOf('dock'), await baseOf('pier')], [2, 1]);
  const newest = await scene.store('apps/port').resolve(parseTag('v1'));
  assert.equal((await stateOf('port', 'dock'))?.digest, newest?.digest);
  assert.deepEqual(
    [(await stateOf('port', 'dock'))?.state, (await stateOf('port', 'pier'))?.state],
    ['Synced', 'Synced'],
  );
  const late = await mail().applyReceipt(await receiptOf(one, 1), parseSiteName('dock'));
  assert.equal(late.verdict, 'stale');
  assert.equal((await stateOf('port', 'dock'))?.digest, newest?.digest);
});

test('an image of which only some platforms travel arrives like any other', async () => {
  const site = await newSite('arm');
  const [amd, arm] = [sampleImage([randomBlob(2000)]), sampleImage([randomBlob(3000)])];
  const index = sampleIndex([
    { manifest: amd.manifest, platform: 'linux/amd64' },
    { manifest: arm.manifest, platform: 'linux/arm64' },
  ]);
  await pushSample(
    scene.store('apps/some'),
    [...amd.blobs, ...arm.blobs],
    [amd.manifest, arm.manifest, index],
    'v1',
  );
  await scene.repository('some', {
    sites: ['arm'],
    platforms: { mode: 'rewrite', platforms: ['linux/arm64'] },
  });
  await scene.stage({ site: 'arm', kind: 'delta' });
  await scene.stage({ site: 'arm', kind: 'full' });
  await carry('arm', 2, site);
  await mail().applyReceipt(await receiptOf(site, 2), parseSiteName('arm'));
  assert.equal((await stateOf('some', 'arm'))?.state, 'Synced');
  const there = await atEdge('apps/some').resolve(parseTag('v1'));
  assert.notEqual(there?.digest, index.descriptor.digest);
  assert.ok(there !== undefined);
});

test('from inventory: what a site told that it has is not carried, whatever was acknowledged before', async () => {
  const site = await newSite('lost');
  const kept = await image('lost-app', { sites: ['lost'] }, [5000, 6000]);
  const damaged = await image('lost-db', { sites: ['lost'] }, [7000]);
  await rejection('BaseMissing', scene.stage({ site: 'lost', kind: 'inventory' }));
  // The site has images that no bundle brought, and one of them is not whole.
  await pushSample(atEdge('apps/lost-app'), kept.blobs, [kept.manifest], 'old');
  const repositories = (await listRepositories(clientOfEdge().session)).filter((path) =>
    path.includes('lost'),
  );
  assert.deepEqual(repositories, ['apps/lost-app']);
  const name = parseSiteName('lost');
  const signer = await site.receiptSigner();
  const { bytes, images } = await takeInventory(
    { repository: atEdge },
    { site: name, repositories, signer, now: Date.now },
  );
  assert.equal(images, 1);
  await scene.s3.store.write('inbox/inventory.json', bytes);
  assert.deepEqual((await inbox()).taken, ['inventory of lost: advance']);
  assert.deepEqual(audited('lost'), ['inventory Requested', 'inventory Completed']);
  assert.equal((await mail().applyInventory(bytes, name)).verdict, 'repeat');

  const { sequence } = await scene.stage({ site: 'lost', kind: 'inventory' });
  const statement = parseStatement(
    parseEnvelope((await shelf().manifest(name, sequence)) ?? new Uint8Array()),
  );
  assert.deepEqual(
    statement.blobs.map(({ digest }) => digest).sort(),
    [damaged.manifest.descriptor, ...damaged.blobs.map(({ descriptor }) => descriptor)]
      .map(({ digest }) => digest)
      .filter((digest) => !kept.blobs.some(({ descriptor }) => descriptor.digest === digest))
      .sort(),
  );
  await carry('lost', sequence, site);
  for (const repo of ['apps/lost-app', 'apps/lost-db']) {
    const there = await atEdge(repo).resolve(parseTag('v1'));
    assert.equal(there?.digest, (await scene.store(repo).resolve(parseTag('v1')))?.digest);
  }
  await mail().applyReceipt(await receiptOf(site, sequence), name);
  assert.equal(await baseOf('lost'), sequence);
});

test('from inventory: where the registry lost what the inventory named, nothing is written', async () => {
  const site = await newSite('liar');
  await image('liar-app', { sites: ['liar'] }, [5000]);
  const root = await scene.store('apps/liar-app').resolve(parseTag('v1'));
  assert.ok(root !== undefined);
  const name = parseSiteName('liar');
  const { bytes } = await takeInventory(
    { repository: (path) => scene.store(path) },
    {
      site: name,
      repositories: [parseRepositoryPath('apps/liar-app')],
      signer: await site.receiptSigner(),
      now: Date.now,
    },
  );
  await mail().applyInventory(bytes, name);
  await scene.stage({ site: 'liar', kind: 'inventory' });
  await rejection('BaseMissing', carry('liar', 1, site));
  assert.equal(await atEdge('apps/liar-app').resolve(parseTag('v1')), undefined);
});

test('an inventory is taken only from the site’s own key, unchanged, and never over a later one', async () => {
  const [site, stranger] = [await newSite('proof'), await newSite('stranger')];
  const name = parseSiteName('proof');
  const take = (by: SiteFolder, now: number) =>
    by
      .receiptSigner()
      .then((signer) =>
        takeInventory({ repository: atEdge }, { site: name, repositories: [], signer, now: () => now }),
      );
  const [early, late] = [await take(site, 1_000_000_000), await take(site, 2_000_000_000)];
  await rejection('SignatureInvalid', mail().applyInventory((await take(stranger, 0)).bytes, name));
  await rejection('SignatureInvalid', mail().applyInventory(early.bytes, parseSiteName('stranger')));
  await scene.s3.store.write('inbox/forged.json', (await take(stranger, 0)).bytes);
  assert.equal((await inbox()).refused.length, 1);
  assert.deepEqual(audited('proof'), ['inventory Requested', 'inventory Failed']);
  assert.equal((await mail().applyInventory(late.bytes, name)).verdict, 'advance');
  assert.equal((await mail().applyInventory(early.bytes, name)).verdict, 'stale');
  const key = parsePublicKeyPem(await site.receiptPublicKey());
  for (let at = 0; at < late.bytes.length; at += 7) {
    const flipped = late.bytes.map((byte, index) => (index === at ? byte ^ 1 : byte));
    assert.throws(() => openInventory(flipped, key, verifyEd25519));
  }
});
