import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { parseRepositoryPath } from '../../../domain/names/repository-path.ts';
import { parseTag } from '../../../domain/names/tag.ts';
import type { RepositoryEndpoint } from '../../../infra/copy/engine.ts';
import { RegistryClients } from '../../../infra/registry/registry-client.ts';
import { createCopyEngine } from '../../../infra/registry/registry-copy-engine.ts';
import { RegistryStore } from '../../../infra/registry/registry-store.ts';
import { startRegistryProcess, type RegistryProcess } from '../../support/registry-process.ts';
import {
  pushSample,
  randomBlob,
  sampleBlob,
  sampleImage,
  sampleManifest,
} from '../../support/sample-image.ts';

let upstream: RegistryProcess;
let edge: RegistryProcess;
const clients = new RegistryClients();
const engine = createCopyEngine(clients);

before(async () => {
  [upstream, edge] = await Promise.all([startRegistryProcess(), startRegistryProcess()]);
});
after(async () => {
  await clients.close();
  await Promise.all([upstream.stop(), edge.stop()]);
});

const at = (registry: RegistryProcess, path: string): RepositoryEndpoint => ({
  registry: { domain: registry.domain, provider: 'other' },
  path: parseRepositoryPath(path),
});
const storeOf = (endpoint: RepositoryEndpoint): RegistryStore =>
  new RegistryStore(clients.of(endpoint.registry), endpoint.path, 'destination');

test('A03 an image with small and large sha512 blobs goes from one real registry to another', async () => {
  const blobs = [randomBlob(1000), randomBlob(3_000_000)].map(({ bytes, descriptor }) =>
    sampleBlob(bytes, descriptor.mediaType, 'sha512'),
  );
  const { manifest, blobs: all } = sampleImage(blobs);
  await pushSample(storeOf(at(upstream, 'long/app')), all, [manifest], 'v1');
  const root = await engine.resolve(at(upstream, 'long/app'), parseTag('v1'));
  assert.equal(root?.digest, manifest.descriptor.digest);
  const report = await engine.copy({
    source: at(upstream, 'long/app'),
    root: manifest.descriptor,
    target: at(edge, 'long/app'),
    tag: parseTag('v1'),
  });
  assert.equal(report.blobsMoved, 3);
  await engine.verifyGraph(at(edge, 'long/app'), manifest.descriptor.digest, { deep: true });
});

test('A03 a manifest by its sha512 digest, which distribution does not take, is refused and nothing is tagged', async () => {
  const { manifest, blobs } = sampleImage([randomBlob(1000)]);
  const long = sampleManifest(JSON.parse(Buffer.from(manifest.bytes).toString()), 'sha512');
  await assert.rejects(pushSample(storeOf(at(edge, 'long/manifest')), blobs, [long], 'v1'), {
    code: 'DestinationRefused',
  });
  assert.equal(await engine.resolve(at(edge, 'long/manifest'), parseTag('v1')), undefined);
});
