import assert from 'node:assert/strict';
import { inActivity } from '../support/in-activity.ts';
import { after, before, test } from 'node:test';
import { createBundleActivities } from '../../activities/bundle.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseStatement } from '../../domain/bundle/parse-statement.ts';
import { Failure } from '../../domain/failure.ts';
import { parseSiteName } from '../../domain/names/kubernetes-name.ts';
import { parseRegistryDomain } from '../../domain/names/registry-domain.ts';
import { parseEnvelope } from '../../domain/trust/envelope.ts';
import type { ResourceClients } from '../../infra/kubernetes/cluster.ts';
import { collectLeftovers } from '../../infra/bundle/collect-leftovers.ts';
import { collectBundles } from '../../infra/bundle/collect-bundles.ts';
import { SharedFlights } from '../../infra/storage/shared-flights.ts';
import { poolKey } from '../../infra/storage/blob-pool.ts';
import { BundleShelf } from '../../infra/storage/bundle-shelf.ts';
import { cosignSigner } from '../support/cosign-signer.ts';
import { pushSample, randomBlob, sampleImage } from '../support/sample-image.ts';
import { openFlakyLink } from '../support/flaky-link.ts';
import { rejection } from '../support/refusal.ts';
import { StageScene } from '../support/stage-scene.ts';

let scene: StageScene;
before(async () => {
  scene = await StageScene.open();
});
after(() => scene.close());

test('K15 a bundle larger than its site takes is refused with both sizes, before a layer is fetched', async () => {
  const layer = randomBlob(900_000);
  const image = sampleImage([layer, randomBlob(10_000)]);
  await pushSample(scene.store('apps/large'), image.blobs, [image.manifest], 'v1');
  await scene.site('small', { bundle: { maxBytes: 500_000 } });
  await scene.repository('large', { sites: ['small'] });
  const bundle = await scene.plan({ site: 'small', kind: 'delta' });
  await rejection('QuotaExceeded', scene.finish(bundle));
  await assert.rejects(scene.finish(bundle), /would carry 91\dkB \(91\d{4} bytes\), .* at most 500kB/);
  assert.equal(await scene.s3.store.head(poolKey(layer.descriptor.digest)), undefined);
  assert.equal(await new BundleShelf(scene.s3.store).manifest(parseSiteName('small'), 1), undefined);
});

test('K15 what a site should have and its registry cannot hold is refused; what fits is staged', async () => {
  await scene.site('tiny', { capacity: 800_000 });
  await scene.site('roomy', { capacity: 2_000_000, bundle: { maxBytes: 1_000_000 } });
  const cluster = scene.cluster.resource('repositories');
  await cluster.patch(
    { namespace: 'default', name: 'large' },
    { spec: { sites: ['small', 'tiny', 'roomy'] } },
  );
  await rejection('QuotaExceeded', scene.stage({ site: 'tiny', kind: 'full' }));
  await scene.stage({ site: 'roomy', kind: 'full' });
  const object = await scene.cluster.resource('imagebundles').get({ name: 'roomy-1' });
  assert.equal(object?.status?.phase, 'Staged');
});

test('an image that is not signed as its Repository asks goes in no bundle, and the others go without it', async () => {
  const image = sampleImage([randomBlob(1000)]);
  await pushSample(scene.store('apps/unsigned'), image.blobs, [image.manifest], 'v1');
  await scene.site('strict');
  const { publicKey } = cosignSigner();
  await scene.repository('unsigned', { sites: ['strict'], verification: { publicKey } });
  await rejection('SignatureRequired', scene.plan({ site: 'strict', kind: 'delta' }));
  await scene.repository('free', { sites: ['strict'], repository: 'apps/unsigned' });
  const { images, sequence } = await scene.stage({ site: 'strict', kind: 'delta' });
  assert.equal(images, 1);
  const object = await scene.cluster.resource('imagebundles').get({ name: `strict-${sequence}` });
  assert.match(JSON.stringify(object?.status?.conditions), /must be signed[^}]*default\/unsigned/);
});

test('a schedule stages nothing where nothing is new, and a person’s wish is always staged', async () => {
  const image = sampleImage([randomBlob(1000)]);
  await pushSample(scene.store('apps/calm'), image.blobs, [image.manifest], 'v1');
  await scene.site('calm');
  await scene.repository('calm', { sites: ['calm'] });
  const order = { site: 'calm', kind: 'delta', trigger: 'schedule' } as const;
  assert.equal((await scene.stage(order)).upToDate, undefined);
  assert.deepEqual(await scene.stage(order), { site: 'calm', sequence: 1, images: 0, upToDate: true });
  assert.equal((await scene.stage({ site: 'calm', kind: 'delta' })).sequence, 2);
  const next = sampleImage([randomBlob(1000)]);
  await pushSample(scene.store('apps/calm'), next.blobs, [next.manifest], 'v1');
  assert.equal((await scene.stage(order)).sequence, 3);
});

test('K01 a step killed right after it took a number goes on with that number when it is tried again', async () => {
  await scene.site('crash');
  await scene.repository('crash', { sites: ['crash'], repository: 'apps/calm' });
  const deps = scene.deps();
  scene.cluster.fail.create = new Failure('ClusterUnavailable', { side: 'cluster' });
  await rejection('ClusterUnavailable', scene.plan({ site: 'crash', kind: 'delta' }, deps, 'run-a'));
  delete scene.cluster.fail.create;
  const again = await scene.plan({ site: 'crash', kind: 'delta' }, deps, 'run-a');
  assert.equal(again.sequence, 1, 'no number is left unused');
  await scene.finish(again);
  assert.equal((await scene.plan({ site: 'crash', kind: 'delta' }, deps, 'run-b')).sequence, 2);
});

test('a staging that failed holds up no retention', async () => {
  const shelf = new BundleShelf(scene.s3.store);
  const held = async (): Promise<boolean> =>
    (await collectBundles(shelf, scene.cluster, { now: scene.now })).held;
  const open = [...(await shelf.sequences(parseSiteName('crash')))].filter(([, files]) =>
    BundleShelf.isStaging(files),
  );
  assert.deepEqual(
    open.map(([sequence]) => sequence),
    [2],
  );
  assert.equal(await held(), true);
  const steps = createBundleActivities(scene.deps());
  for (const site of await shelf.sites()) {
    for (const [sequence, files] of await shelf.sequences(site)) {
      if (BundleShelf.isStaging(files))
        await inActivity(() => steps.failBundle({ site, sequence, images: 0 }, { code: 'Timeout' }));
    }
  }
  assert.equal(await held(), false);
});

test('a staging that is cancelled right after its bundle was published is brought to its end', async () => {
  const site = parseSiteName('calm');
  const shelf = new BundleShelf(scene.s3.store);
  const bundle = await scene.plan({ site, kind: 'full' });
  const deps = scene.deps();
  const away = { ...deps, resources: withoutStatus(scene.cluster) };
  await rejection('ClusterUnavailable', scene.finish(bundle, away));
  assert.ok((await shelf.manifest(site, bundle.sequence)) !== undefined, 'who looks there can fetch it');
  await inActivity(() => createBundleActivities(deps).failBundle(bundle, { code: 'Cancelled' }));
  const object = await scene.cluster.resource('imagebundles').get({ name: `${site}-${bundle.sequence}` });
  assert.deepEqual([object?.status?.phase, object?.status?.progress], ['Staged', '100%']);
  assert.ok(!(await shelf.sequences(site)).get(bundle.sequence)?.includes('failed.json'));
});

/** The cluster, with no way to write a status. */
function withoutStatus(cluster: ResourceClients): ResourceClients {
  const changeStatus = (): never => {
    throw new Failure('ClusterUnavailable', { side: 'cluster' });
  };
  return {
    resource: (plural) => ({ ...cluster.resource(plural), changeStatus }),
  };
}

test('two processes that stage the same image at once fetch each layer once; one that died holds nobody up', async () => {
  const image = sampleImage([randomBlob(3_000_000), randomBlob(2_000_000)]);
  await pushSample(scene.store('apps/both'), image.blobs, [image.manifest], 'v1');
  const link = await openFlakyLink(parseRegistryDomain(scene.upstream.domain));
  const sites = ['left', 'right'];
  for (const name of sites) await scene.site(name);
  await scene.repository('both', { sites });
  const registryAccess = async () => ({ domain: link.domain, provider: 'other' });
  const processes = sites.map(() => scene.deps());
  await Promise.all(
    sites.map((site, at) => {
      const deps = processes[at] ?? scene.deps();
      const credentials = { ...deps.credentials, registryAccess };
      return scene.stage({ site, kind: 'full' }, { ...deps, credentials });
    }),
  );
  await link.close();
  assert.ok(link.received < 5_300_000, `${link.received} bytes for 5,000,000`);

  const flights = new SharedFlights(scene.s3.store, { deadMs: 300, lookMs: 50 });
  const dead = image.blobs[1]?.descriptor ?? assert.fail();
  await scene.s3.store.write(`flights/${dead.digest.slice(7)}`, Buffer.from('killed'));
  const seen: boolean[] = [];
  await flights.run(dead, async (waited) => void seen.push(waited));
  await flights.run(dead, async (waited) => void seen.push(waited));
  assert.deepEqual(seen, [true, false]);
  assert.equal(await scene.s3.store.head(`flights/${dead.digest.slice(7)}`), undefined);
});

test('records of images that left the pool, replaced inventories, failed plans and refused letters are collected', async () => {
  const { store } = scene.s3;
  const shelf = new BundleShelf(store);
  const record = { root: { ...randomBlob(10).descriptor }, attachments: [] };
  await store.write('images/gone.json', Buffer.from(JSON.stringify(record)));
  await store.write('inbox-refused/odd.json', Buffer.from('{}'));
  await store.write(`sites/calm/inventories/${'a'.repeat(64)}.json`, Buffer.from('{}'));
  const kept = [];
  for await (const { key } of store.list('images/')) if (key !== 'images/gone.json') kept.push(key);
  assert.ok(kept.length > 0);
  const sites = await scene.cluster.resource('edgesites').list();
  const tidy = parseSiteName('tidy');
  for (const sequence of [1, 2]) {
    await shelf.takeSequence(tidy, sequence, {});
    await shelf.markFailed(tidy, sequence);
  }
  assert.equal(await collectLeftovers(shelf, sites, Date.now()), 1, 'a failed plan, but not the newest');
  assert.deepEqual([...(await shelf.sequences(tidy)).keys()], [2]);
  const later = Date.now() + 31 * 86_400_000;
  assert.equal(await collectLeftovers(shelf, sites, later), 3);
  const left = [];
  for await (const { key } of store.list('images/')) left.push(key);
  assert.deepEqual(left, kept, 'records of what the pool has stay');
});

test('a bundle that is staged while a sweep is under way loses no blob to it', async () => {
  const shelf = new BundleShelf(scene.s3.store);
  const kept = parseSiteName('kept');
  const image = sampleImage([randomBlob(50_000)]);
  await pushSample(scene.store('apps/swept'), image.blobs, [image.manifest], 'v1');
  for (const site of ['swept', kept]) await scene.site(site);
  await scene.repository('swept', { sites: ['swept', kept] });
  await scene.stage({ site: 'swept', kind: 'full' });
  await shelf.remove(parseSiteName('swept'), 1);
  const today = scene.now;
  scene.now += 3 * 86_400_000;
  const marked = await collectBundles(shelf, scene.cluster, { now: scene.now });
  assert.ok(marked.marked >= 2 && marked.blobs === 0, JSON.stringify(marked));
  scene.now += 86_400_001;
  let staging: Promise<unknown> = Promise.resolve();
  const beginStaging = async (): Promise<void> => {
    staging = scene.stage({ site: kept, kind: 'full' });
    await Promise.race([staging, sleep(3000)]);
  };
  const swept = await collectBundles(shelf, seenBy(beginStaging), { now: scene.now });
  await staging;
  scene.now = today;
  assert.ok(swept.blobs >= 2, JSON.stringify(swept));
  const { blobs } = parseStatement(parseEnvelope((await shelf.manifest(kept, 1)) ?? assert.fail()));
  for (const { digest } of blobs) assert.ok(await scene.s3.store.head(poolKey(digest)), digest);
});

/** The cluster, where `look` goes first whenever ImageBundles are listed: in a sweep that is after it has decided. */
function seenBy(look: () => Promise<void>): ResourceClients {
  return {
    resource: (plural) => {
      const client = scene.cluster.resource(plural);
      const list: typeof client.list = async (namespace) => {
        if (plural === 'imagebundles') await look();
        return client.list(namespace);
      };
      return { ...client, list };
    },
  };
}

test('a bundle that cannot be planned says why at its site, and the site says when that is mended', async () => {
  await scene.site('unplanned');
  const plan = (kind: 'delta' | 'inventory') =>
    inActivity(() =>
      createBundleActivities(scene.deps()).planBundle({ site: 'unplanned', kind }, 'run-plan'),
    );
  const told = async () => {
    const { status } = (await scene.cluster.resource('edgesites').get({ name: 'unplanned' })) ?? {};
    return status?.conditions?.find(({ type }) => type === 'BundlePlanned');
  };
  await assert.rejects(plan('delta'), /no Repository goes to unplanned/);
  assert.deepEqual([(await told())?.status, (await told())?.reason], ['False', 'NoSite']);
  const image = sampleImage([randomBlob(1000)]);
  await pushSample(scene.store('apps/unplanned'), image.blobs, [image.manifest], 'v1');
  await scene.repository('unplanned', { sites: ['unplanned'] });
  await assert.rejects(plan('inventory'), /no inventory of this site has come in/);
  assert.equal((await told())?.reason, 'BaseMissing');
  const events = scene.cluster.events.filter((event) => event.includes('EdgeSite/unplanned'));
  assert.equal(events.length, 2);
  assert.match(events.at(-1) ?? '', /Warning StageBundle.*no inventory of this site has come in/);
  await plan('delta');
  assert.deepEqual([(await told())?.status, (await told())?.reason], ['True', 'Succeeded']);
});
