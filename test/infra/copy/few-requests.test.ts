import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { digestOf } from '../../support/misbehaving-registry/content.ts';
import { describe, sampleBytes, imageOf, sampleImage } from '../../support/misbehaving-registry/images.ts';
import { row, sourcePath, targetPath } from '../../support/faults/world.ts';

const ociManifest = 'application/vnd.oci.image.manifest.v1+json';
const config = Buffer.from('{"few":1}');
const layers = ['a', 'b', 'c'].map((seed) => sampleBytes(`few ${seed}`, 2000));

/** An image over the shared layers, with one of its own. */
function version(number: number) {
  const all = [...layers, sampleBytes(`own ${number}`, 3000)];
  return imageOf([config, ...all], {
    schemaVersion: 2,
    mediaType: ociManifest,
    config: describe('application/vnd.oci.image.config.v1+json', config),
    layers: all.map((layer) => describe('application/vnd.oci.image.layer.v1.tar', layer)),
  });
}

row(
  'a newer image asks only for the blobs that the older one did not have, and proves all',
  async (world) => {
    const [older, newer] = [version(1), version(2)];
    const { source, target } = await world.pair(newer);
    target.hold(targetPath, older, 'v1');
    const report = await world.copy(source, target);
    world.landed(target, newer);
    assert.equal(world.trace.count('HEAD', '/blobs/', target.origin), 1);
    assert.equal(world.trace.count('GET', '/blobs/', target.origin), 5, 'each blob is read back');
    assert.equal(report.blobsMoved, 1);
    assert.equal(report.blobsReused, 4);
  },
);

row('a blob that the older image only seems to have is sent', async (world) => {
  const [older, newer] = [version(1), version(2)];
  const { source, target } = await world.pair(newer);
  target.hold(targetPath, older, 'v1');
  target.repository(targetPath).blobs.delete(digestOf(layers[1] ?? config));
  await world.copy(source, target);
  world.landed(target, newer);
});

row('a repository of 3,000 tags is asked for attachments by its list, not image by image', async (world) => {
  const images = [1, 2, 3, 4].map((number) => sampleImage(`few ${number}`));
  const [first = version(1), ...rest] = images;
  const { source, target } = await world.pair(first);
  rest.forEach((image, index) => source.hold(sourcePath, image, `w${index}`));
  for (let tag = 0; tag < 3000; tag += 1) source.repository(sourcePath).tags.set(`t${tag}`, first.digest);
  for (const reference of ['v1', 'w0', 'w1', 'w2'])
    await world.copy(source, target, { reference, tag: reference });
  assert.equal(world.trace.count('GET', '/tags/list', source.origin), 4);
  assert.equal(world.trace.count('GET', '/manifests/sha256-', source.origin), 0);
});

row(
  'images that arrive together prove a shared blob once and ask once for the referrers API',
  async (world) => {
    const images = [1, 2, 3, 4, 5, 6].map(version);
    const { source, target } = await world.pair(version(1), { source: { referrersApi: false } });
    images.forEach((image, index) => source.hold(sourcePath, image, `v${index + 1}`));
    await Promise.all(
      images.map((_image, index) =>
        world.copy(source, target, { reference: `v${index + 1}`, tag: `v${index + 1}` }),
      ),
    );
    assert.equal(world.trace.count('GET', '/blobs/', target.origin), 1 + layers.length + images.length);
    assert.equal(world.trace.count('GET', '/referrers/', source.origin), 1);
  },
);

row('an image that lost its way while others waited for its proof costs them nothing', async (world) => {
  const [one, other] = [version(1), version(2)];
  const { source, target } = await world.pair(one);
  source.hold(sourcePath, other, 'v2');
  const stop = new AbortController();
  const shared = `/blobs/${digestOf(layers[0] ?? config)}`;
  target.script({ method: 'GET', path: shared, times: 1 }, async (exchange) => {
    stop.abort();
    await sleep(100);
    await exchange.send(await exchange.honestAnswer());
  });
  const [first] = await Promise.allSettled([
    world.copy(source, target, { hooks: { signal: stop.signal } }),
    world.copy(source, target, { reference: 'v2', tag: 'v2' }),
  ]);
  assert.ok(first);
  world.landed(target, other, 'v2');
});
