import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { parseTag } from '../../../domain/names/tag.ts';
import { parseRepositoryPath } from '../../../domain/names/repository-path.ts';
import { copyImageToMany } from '../../../infra/copy/copy-image.ts';
import { ManifestCache } from '../../../infra/copy/manifest-cache.ts';
import { ProvenParts } from '../../../infra/copy/proven-parts.ts';
import { SingleFlight } from '../../../infra/copy/single-flight.ts';
import { openFlakyLink } from '../../support/flaky-link.ts';
import { startRegistryProcess, type RegistryProcess } from '../../support/registry-process.ts';
import { pushSample, randomBlob, sampleBlob, sampleImage, sampleIndex } from '../../support/sample-image.ts';
import { TestEngine } from './real-registries.ts';

let upstream: RegistryProcess;
let edge: RegistryProcess;
let own: TestEngine;

before(async () => {
  [upstream, edge] = await Promise.all([startRegistryProcess(), startRegistryProcess()]);
  own = new TestEngine();
});
after(async () => {
  await own.close();
  await Promise.all([upstream.stop(), edge.stop()]);
});

test('signatures travel with the image: by subject, by cosign tag, and signatures of signatures', async () => {
  const source = own.endpoint(upstream.domain, 'signed/app');
  const store = own.store(source);
  const image = sampleImage([randomBlob(2000)]);
  const artifact = (subject: unknown, text: string): ReturnType<typeof sampleImage> =>
    sampleImage([sampleBlob(Buffer.from(text), 'text/plain')], undefined, {
      artifactType: 'application/vnd.example.note',
      subject,
    });
  const sbom = artifact(image.manifest.descriptor, 'sbom');
  const signature = artifact(sbom.manifest.descriptor, 'signature of the sbom');
  const cosign = sampleImage([
    sampleBlob(Buffer.from('cosign'), 'application/vnd.dev.cosign.simplesigning.v1+json'),
  ]);
  await pushSample(store, image.blobs, [image.manifest], 'v1');
  await pushSample(store, [...sbom.blobs, ...signature.blobs], [sbom.manifest, signature.manifest]);
  const cosignTag = `sha256-${image.manifest.descriptor.digest.slice(7)}.sig`;
  await pushSample(store, cosign.blobs, [cosign.manifest], cosignTag);

  const target = own.endpoint(edge.domain, 'signed/app');
  const root = await own.root(source);
  const report = await own.engine.copy({ source, root, target, tag: parseTag('v1') });
  assert.deepEqual([report.referrers, report.referrersMissing], [3, 0]);
  const there = own.store(target);
  const listed = await there.referrers(root.digest);
  assert.deepEqual(
    new Map(listed.map((each) => [each.digest, each.tag])),
    new Map([
      [sbom.manifest.descriptor.digest, undefined],
      [cosign.manifest.descriptor.digest, parseTag(cosignTag)],
    ]),
  );
  assert.equal(
    (await there.referrers(sbom.manifest.descriptor.digest))[0]?.artifactType,
    'application/vnd.example.note',
  );
});

test('rewrite keeps the wanted platform under a new digest, and copies no other platform’s layers', async () => {
  const source = own.endpoint(upstream.domain, 'multi/app');
  const amd = sampleImage([randomBlob(3000)]);
  const arm = sampleImage([randomBlob(4000)], { os: 'linux', architecture: 'arm64' });
  const index = sampleIndex([
    { manifest: amd.manifest, platform: 'linux/amd64' },
    { manifest: arm.manifest, platform: 'linux/arm64' },
  ]);
  await pushSample(
    own.store(source),
    [...amd.blobs, ...arm.blobs],
    [amd.manifest, arm.manifest, index],
    'v1',
  );
  const target = own.endpoint(edge.domain, 'multi/app');
  const root = await own.root(source);
  const platforms = { mode: 'rewrite', platforms: ['linux/arm64'] } as const;
  const report = await own.engine.copy({ source, root, target, tag: parseTag('v1'), platforms });
  assert.notEqual(report.root, root.digest);
  assert.equal((await own.root(target)).digest, report.root);
  assert.equal(report.blobsMoved, 2);
  await own.engine.verifyGraph(target, report.root, { deep: true });
  // This registry wants every child of an index: an incomplete one is refused in so many words.
  const sparse = { mode: 'sparse', platforms: ['linux/amd64'] } as const;
  const elsewhere = own.endpoint(edge.domain, 'sparse/app');
  await assert.rejects(
    own.engine.copy({ source, root, target: elsewhere, tag: parseTag('v1'), platforms: sparse }),
    {
      code: 'SparseRefused',
    },
  );
  assert.equal(await own.engine.resolve(elsewhere, parseTag('v1')), undefined);
  await assert.rejects(
    own.engine.copy({ source, root, target, platforms: { mode: 'rewrite', platforms: ['linux/s390x'] } }),
    { code: 'PlatformNotFound' },
  );
});

test('a layer that another repository of the target has is mounted, not moved', async () => {
  const source = own.endpoint(upstream.domain, 'mount/app');
  const { blobs, manifest } = sampleImage([randomBlob(50_000)]);
  await pushSample(own.store(source), blobs, [manifest], 'v1');
  const root = await own.root(source);
  await own.engine.copy({
    source,
    root,
    target: own.endpoint(edge.domain, 'mount/one'),
    tag: parseTag('v1'),
  });
  const report = await own.engine.copy({
    source,
    root,
    target: own.endpoint(edge.domain, 'mount/two'),
    tag: parseTag('v1'),
    mountFrom: [parseRepositoryPath('mount/one')],
  });
  assert.equal(report.blobsMoved, 0);
});

test('five targets cost one read of every byte upstream', async (t) => {
  const link = await openFlakyLink(upstream.domain);
  t.after(() => link.close());
  const layer = 3_000_000;
  const { blobs, manifest } = sampleImage([randomBlob(layer), randomBlob(1000)]);
  const source = own.endpoint(link.domain, 'fan/app');
  await pushSample(own.store(own.endpoint(upstream.domain, 'fan/app')), blobs, [manifest], 'v1');
  const targets = [1, 2, 3, 4, 5].map((n) => own.store(own.endpoint(edge.domain, `fan/app${n}`)));
  const orders = targets.map((target) => ({ target }));
  const root = await own.root(source);
  const context = {
    flights: new SingleFlight(),
    proven: new ProvenParts(),
    manifests: new ManifestCache(),
    limit: <T>(task: () => Promise<T>): Promise<T> => task(),
  };
  const from = own.store(source);
  const outcomes = await copyImageToMany(from, orders, root, context, { tag: parseTag('v1') });
  for (const outcome of outcomes) assert.ok('report' in outcome, JSON.stringify(outcome));
  assert.ok(link.received < layer * 1.01, `${link.received} bytes`);
  for (const target of targets) assert.equal((await target.resolve(parseTag('v1')))?.digest, root.digest);
});

test('an unchanged tag costs the target one HEAD, and the source nothing', async (t) => {
  const source = own.endpoint(upstream.domain, 'same/app');
  const { blobs, manifest } = sampleImage([randomBlob(1000)]);
  await pushSample(own.store(source), blobs, [manifest], 'v1');
  const root = await own.root(source);
  await own.engine.copy({ source, root, target: own.endpoint(edge.domain, 'same/app'), tag: parseTag('v1') });
  const [up, down] = [await openFlakyLink(upstream.domain), await openFlakyLink(edge.domain)];
  t.after(() => Promise.all([up.close(), down.close()]));
  const report = await own.engine.copy({
    source: own.endpoint(up.domain, 'same/app'),
    root,
    target: own.endpoint(down.domain, 'same/app'),
    tag: parseTag('v1'),
  });
  assert.equal(report.manifestsPushed, 0);
  assert.equal(up.sent, 0);
  assert.ok(down.sent < 500, `${down.sent} bytes of requests`);
});
