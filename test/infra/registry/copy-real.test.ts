import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { parseRepositoryPath } from '../../../domain/names/repository-path.ts';
import { parseTag } from '../../../domain/names/tag.ts';
import type { CopyEngine, RepositoryEndpoint } from '../../../infra/copy/engine.ts';
import { RegistryClients } from '../../../infra/registry/registry-client.ts';
import { createCopyEngine } from '../../../infra/registry/registry-copy-engine.ts';
import { RegistryStore } from '../../../infra/registry/registry-store.ts';
import { startRegistryProcess, type RegistryProcess } from '../../support/registry-process.ts';
import { pushSample, randomBlob, sampleBlob, sampleImage, sampleIndex } from '../../support/sample-image.ts';

const credential = { username: 'alice', password: 'pass:wörd' };
let upstream: RegistryProcess;
let edge: RegistryProcess;
let clients: RegistryClients;
let engine: CopyEngine;

before(async () => {
  [upstream, edge] = await Promise.all([startRegistryProcess(), startRegistryProcess({ credential })]);
  clients = new RegistryClients();
  engine = createCopyEngine(clients);
});
after(async () => {
  await clients.close();
  await Promise.all([upstream.stop(), edge.stop()]);
});

const from = (path: string): RepositoryEndpoint => ({
  registry: { domain: upstream.domain, provider: 'other' },
  path: parseRepositoryPath(path),
});
const to = (path: string): RepositoryEndpoint => ({
  registry: { domain: edge.domain, provider: 'other', credential },
  path: parseRepositoryPath(path),
});
const storeOf = (endpoint: RepositoryEndpoint): RegistryStore =>
  new RegistryStore(clients.of(endpoint.registry), endpoint.path, 'destination');

test('an index with two platforms, an empty blob and a large layer arrives whole under its tag', async () => {
  const big = randomBlob(5_000_000);
  const amd = sampleImage([big, sampleBlob(new Uint8Array())]);
  const arm = sampleImage([big, randomBlob(1000)], { os: 'linux', architecture: 'arm64' });
  const index = sampleIndex([
    { manifest: amd.manifest, platform: 'linux/amd64' },
    { manifest: arm.manifest, platform: 'linux/arm64' },
  ]);
  const manifests = [amd.manifest, arm.manifest, index];
  await pushSample(storeOf(from('team/app')), [...amd.blobs, ...arm.blobs], manifests, 'v1');

  const root = await engine.resolve(from('team/app'), parseTag('v1'));
  assert.ok(root);
  const progress: number[] = [];
  const report = await engine.copy(
    { source: from('team/app'), root, target: to('mirror/app'), tag: parseTag('v1') },
    { onProgress: ({ doneBytes, totalBytes }) => progress.push(doneBytes / totalBytes) },
  );
  const placed = await engine.resolve(to('mirror/app'), parseTag('v1'));
  assert.equal(placed?.digest, root.digest);
  await engine.verifyGraph(to('mirror/app'), root.digest, { deep: true });
  assert.equal(report.blobsMoved, 5);
  assert.equal(progress.at(-1), 1);

  const again = await engine.copy({
    source: from('team/app'),
    root,
    target: to('mirror/app'),
    tag: parseTag('v1'),
  });
  assert.equal(again.blobsMoved, 0);
  assert.deepEqual(await engine.listTags(to('mirror/app')), ['v1']);
  const described = await engine.describe(to('mirror/app'), root);
  assert.equal(described.architecture, 'amd64');
  assert.equal(described.layers.length, 2);
});

test('a wrong password is Unauthorized, an unknown tag is undefined', async () => {
  const wrong = {
    ...to('mirror/app'),
    registry: { ...to('x').registry, credential: { username: 'alice', password: 'no' } },
  };
  await assert.rejects(engine.resolve(wrong, parseTag('v1')), { code: 'Unauthorized' });
  assert.equal(await engine.resolve(to('mirror/none'), parseTag('v1')), undefined);
});
