import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { BundleBlob } from '../../../domain/bundle/statement.ts';
import type { StagePlan } from '../../../domain/bundle/stage-plan.ts';
import type { Bytes } from '../../../domain/sync/progress.ts';
import { poolKey } from '../../../infra/storage/blob-pool.ts';
import { BundleShelf } from '../../../infra/storage/bundle-shelf.ts';
import { collectBundles } from '../../../infra/bundle/collect-bundles.ts';
import { MemoryCluster } from '../../support/memory-cluster.ts';
import { BundleStager } from '../../../infra/bundle/bundle-stager.ts';
import { fetchBundle } from '../../../infra/bundle/fetch-bundle.ts';
import { importBundle } from '../../../infra/bundle/import-bundle.ts';
import { openBundleMedium } from '../../../infra/layout/open-medium.ts';
import { SiteFolder } from '../../../infra/layout/site-folder.ts';
import { RegistryClients } from '../../../infra/registry/registry-client.ts';
import { RegistryStore } from '../../../infra/registry/registry-store.ts';
import { parseSiteName } from '../../../domain/names/kubernetes-name.ts';
import { parseRepositoryPath, type RepositoryPath } from '../../../domain/names/repository-path.ts';
import { parseTag } from '../../../domain/names/tag.ts';
import type { RegistryAccess } from '../../../infra/copy/engine.ts';
import { runOciTool, runSkopeo } from '../../support/oci-tools.ts';
import { rejection } from '../../support/refusal.ts';
import { startRegistryProcess, type RegistryProcess } from '../../support/registry-process.ts';
import { pushSample, randomBlob, sampleImage, sampleManifest } from '../../support/sample-image.ts';
import { startS3Process, type S3Process } from '../../support/s3-process.ts';
import { newSigner, rootOf, signRoot } from '../../support/signed-samples.ts';

const folder = mkdtempSync(join(tmpdir(), 'imageferry-stage-'));
const clients = new RegistryClients();
const signer = newSigner();
const root = rootOf(1, [signer]);
const rootBytes = signRoot(root, [signer]);
const site = parseSiteName('plant-7');
const repo = parseRepositoryPath('library/app');
let [s3, upstream, edge] = [] as unknown as [S3Process, RegistryProcess, RegistryProcess];
before(async () => {
  [s3, upstream, edge] = await Promise.all([
    startS3Process(),
    startRegistryProcess(),
    startRegistryProcess(),
  ]);
});
after(async () => {
  await clients.close();
  await Promise.all([s3.stop(), upstream.stop(), edge.stop()]);
  rmSync(folder, { recursive: true, force: true });
});

const access = ({ domain }: RegistryProcess): RegistryAccess => ({ domain, provider: 'other' });
const store = (process: RegistryProcess, path: RepositoryPath = repo): RegistryStore =>
  new RegistryStore(clients.of(access(process)), path, 'destination');
const stager = (): BundleStager =>
  new BundleStager(new BundleShelf(s3.store), clients, {
    read: async () => ({ signers: [signer], roots: [{ version: 1, bytes: rootBytes }] }),
  });

const [shared, old, fresh] = [randomBlob(500_000), randomBlob(300_000), randomBlob(200_000)];
const v1 = sampleImage([shared, old]);
const v2 = sampleImage([shared, fresh]);
const signature = sampleManifest({
  schemaVersion: 2,
  mediaType: 'application/vnd.oci.image.manifest.v1+json',
  artifactType: 'application/vnd.example.signature',
  config: v1.blobs[0]?.descriptor,
  layers: [],
  subject: v1.manifest.descriptor,
});

/** What others read it with: that they can is the promise. */
async function others(carried: string, into: string): Promise<void> {
  const { digest } = v1.manifest.descriptor;
  runSkopeo('copy', '-q', `oci:${carried}:library/app:v1`, `dir:${into}`);
  const oras = ['cp', '--from-oci-layout', `${carried}@${digest}`, '--to-oci-layout', `${into}-oras:v1`];
  await runOciTool('oras', ...oras);
  await runOciTool('crane', 'push', '--insecure', '--index', carried, `${upstream.domain}/other/all:v1`);
}

async function plan(
  sequence: number,
  tags: readonly string[],
  changes: Partial<StagePlan> = {},
): Promise<StagePlan> {
  const images = await Promise.all(
    tags.map(async (tag) => {
      const resolved = await store(upstream).resolve(parseTag(tag));
      assert.ok(resolved);
      const ref = { namespace: 'default', name: tag };
      return { ref, registryRef: ref, source: repo, repo, tag: parseTag(tag), root: resolved };
    }),
  );
  return {
    site,
    sequence,
    kind: 'delta',
    createdAt: new Date().toISOString(),
    expires: new Date(Date.now() + 86_400_000).toISOString(),
    images,
    ...changes,
  };
}

async function stage(
  order: StagePlan,
  by = stager(),
): Promise<{ moved: number; bundle: Awaited<ReturnType<BundleStager['publish']>> }> {
  let moved = 0;
  for (const image of order.images)
    moved += await by.stageImage(image, { registry: access(upstream), path: repo });
  return { moved, bundle: await by.publish(order) };
}

async function fetchTo(name: string, sequence: number): Promise<string> {
  const shelf = new BundleShelf(s3.store);
  const to = join(folder, name);
  const origin = {
    manifest: shelf.manifest.bind(shelf),
    root: async (version: number) => (await shelf.roots()).find((each) => each.version === version)?.bytes,
    blob: ({ digest }: BundleBlob, from: number) => s3.store.stream(poolKey(digest), from),
  };
  const told: Bytes[] = [];
  const onProgress = (progress: Bytes): void => void told.push(progress);
  const { statement } = await fetchBundle(origin, { site, sequence, trust: root, to, onProgress });
  const done = told.map(({ doneBytes }) => doneBytes);
  assert.equal(done.at(-1) ?? 0, statement.totalBytes, 'progress ends at the whole');
  assert.deepEqual(
    done,
    done.toSorted((one, other) => one - other),
  );
  return to;
}

async function bring(path: string, state: SiteFolder): Promise<number> {
  const medium = await openBundleMedium(path);
  try {
    const repository = (at: RepositoryPath): RegistryStore => store(edge, at);
    return (await importBundle({ medium, folder: state, repository }, { now: Date.now })).bytesMoved;
  } finally {
    await medium.close();
  }
}

test('staged once, fetched, read by skopeo, crane and oras, imported, and then a delta of exactly what changed', async () => {
  await pushSample(store(upstream), v1.blobs, [v1.manifest], 'v1');
  await pushSample(store(upstream), [], [signature]);
  const first = await stage(await plan(1, ['v1']));
  assert.ok(first.moved > 800_000);
  assert.equal(first.bundle.bytes.saved, 0);

  const again = await stage(await plan(2, ['v1'], { previous: first.bundle }));
  assert.equal(again.moved, 0, 'the second staging moves nothing');

  const carried = await fetchTo('one', 1);
  await others(carried, join(folder, 'others'));
  const state = new SiteFolder(join(folder, 'site'));
  await state.pin(site, rootBytes, new Date(Date.now() - 1000).toISOString());
  await bring(carried, state);
  assert.equal((await store(edge).resolve(parseTag('v1')))?.digest, v1.manifest.descriptor.digest);
  const attached = await store(edge).referrers(v1.manifest.descriptor.digest);
  assert.deepEqual(
    attached.map(({ digest }) => digest),
    [signature.descriptor.digest],
  );

  await pushSample(store(upstream), v2.blobs, [v2.manifest], 'v2');
  const delta = await stage(await plan(3, ['v1', 'v2'], { previous: again.bundle, base: first.bundle }));
  assert.equal(delta.bundle.bytes.carried, fresh.bytes.byteLength + v2.manifest.bytes.byteLength);
  await bring(await fetchTo('three', 3), state);
  assert.equal((await store(edge).resolve(parseTag('v2')))?.digest, v2.manifest.descriptor.digest);
  assert.equal((await state.state()).committedSequence, 3);
});

test('K10 a number that is taken is never used for another manifest', async () => {
  await rejection('SequenceTaken', stage(await plan(1, ['v1'])));
});

test('a blob that the pool lost is found before anything is signed, and staged anew', async () => {
  await s3.store.delete(poolKey(fresh.descriptor.digest));
  const order = await plan(9, ['v2']);
  await rejection('BundleIncomplete', stager().publish(order));
  assert.equal((await stage(order)).bundle.images, 1);
});

test('K01 retention takes what nothing needs after its grace, and never the base of a site', async () => {
  const shelf = new BundleShelf(s3.store);
  const cluster = new MemoryCluster();
  const created = await cluster.resource('edgesites').create({
    apiVersion: 'image.theriseunion.io/v1alpha1',
    kind: 'EdgeSite',
    metadata: { name: site },
    spec: { mode: 'offline', registry: { domain: edge.domain } },
  });
  const acknowledged = { sequence: 3, digest: v1.manifest.descriptor.digest, time: '2026-01-01T00:00:00Z' };
  const uid = created.metadata.uid ?? '';
  await cluster.resource('edgesites').applyStatus({ name: site }, uid, { acknowledged });
  const bundles = cluster.resource('imagebundles');
  for (let sequence = 101; sequence <= 125; sequence += 1) {
    await bundles.create({
      apiVersion: 'image.theriseunion.io/v1alpha1',
      kind: 'ImageBundle',
      metadata: { name: `old-${sequence}` },
      spec: { site: 'old', sequence, kind: 'delta' },
      status: { phase: 'Collected' },
    });
  }
  const orphan = randomBlob(1234);
  await s3.store.write(poolKey(orphan.descriptor.digest), orphan.bytes);
  const later = Date.now() + 3 * 86_400_000;
  const first = await collectBundles(shelf, cluster, { now: later });
  assert.ok(first.blobs === 0 && first.marked >= 1, JSON.stringify(first));
  const shown = (await bundles.list()).map(({ spec }) => spec.sequence).toSorted((a, b) => a - b);
  assert.deepEqual([shown.length, shown[0]], [20, 106], 'of old bundles the newest twenty are shown');
  const second = await collectBundles(shelf, cluster, { now: later + 86_400_001 });
  assert.ok(second.blobs >= 1 && second.bytes >= 1234, JSON.stringify(second));
  assert.equal(await s3.store.head(poolKey(orphan.descriptor.digest)), undefined);
  assert.ok(await shelf.manifest(site, 3), 'the acknowledged base stays');
  assert.equal(await shelf.manifest(site, 1), undefined);
  for (const blob of [shared, fresh]) assert.ok(await s3.store.head(poolKey(blob.descriptor.digest)));
});
