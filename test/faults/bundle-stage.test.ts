import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createBundleActivities } from '../../activities/bundle.ts';
import { Failure } from '../../domain/failure.ts';
import { parseSiteName } from '../../domain/names/kubernetes-name.ts';
import { collectBundles } from '../../infra/bundle/collect-bundles.ts';
import { poolKey } from '../../infra/storage/blob-pool.ts';
import { BundleShelf } from '../../infra/storage/bundle-shelf.ts';
import { cosignSigner } from '../support/cosign-signer.ts';
import { pushSample, randomBlob, sampleImage } from '../support/sample-image.ts';
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
  assert.match(JSON.stringify(object?.status?.conditions), /default\/unsigned[^}]*must be signed/);
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
        await steps.failBundle({ site, sequence, images: 0 }, { code: 'Timeout' });
    }
  }
  assert.equal(await held(), false);
});
