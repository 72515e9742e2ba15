import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { demoApi, expecting, repositoryIn } from '../../infra/local/demo/api.ts';
import { demoRegistry } from '../../infra/local/demo/registry.ts';
import { apply } from '../support/kubectl.ts';
import { madeImage } from '../support/made-image.ts';
import { endpoints, pidOf } from '../support/stack.ts';

const path = 'test/worker-killed';
const layerBytes = 32 << 20;
/** 512 MiB at 50 MB/s: about ten seconds, so that the kill is in the middle of the copy however fast the machine is. */
const layers = Array.from({ length: 16 }, () => layerBytes);
const slowSite = {
  apiVersion: 'image.theriseunion.io/v1alpha1',
  kind: 'EdgeSite',
  metadata: { name: 'slow' },
  spec: {
    bandwidth: 50_000_000,
    registry: {
      domain: endpoints().registries.edge.domain,
      credentialSecretName: 'site-edge',
      pathPrefix: 'slow/',
    },
  },
};

test('a worker killed in the middle of a big image: the sync still ends with the right bytes', async () => {
  const { registries } = endpoints();
  const api = demoApi(endpoints());
  const image = madeImage(layers);
  await demoRegistry(registries.upstream).push(path, '1', image);
  const applied = await apply(slowSite);
  assert.equal(applied.code, 0, applied.stderr);
  const secret = { metadata: { name: 'killed' }, spec: { ...registries.upstream, provider: 'other' } };
  expecting('create RegistrySecret', await api.post('registry-secrets', secret), 201);
  const spec = { repository: path, tag: '1', registryRef: { name: 'killed' }, sites: ['slow'] };
  expecting('create Repository', await api.post('repositories', { metadata: { name: 'killed' }, spec }), 201);

  await until('the copy is under way', async () => /^[1-9]/.test((await progress()) ?? ''));
  const killed = pidOf('worker');
  process.kill(killed, 'SIGKILL');
  assert.equal(await result(), undefined, 'the sync had ended before the kill');
  await until('a new worker runs', async () => newWorker(killed));

  await until('the sync has ended', async () => (await result()) !== undefined);
  assert.equal(await result(), 'Success');
  const edge = demoRegistry(registries.edge);
  assert.ok(image.index.bytes.equals(await edge.manifest(`slow/${path}`, '1')));
  for (const { digest, bytes } of image.blobs)
    assert.ok(bytes.equals(await edge.blob(`slow/${path}`, digest)));

  async function repository() {
    return repositoryIn(expecting('read', await api.get('repositories/killed'), 200));
  }
  async function progress(): Promise<string | undefined> {
    return (await repository()).status?.syncProgress;
  }
  async function result(): Promise<string | undefined> {
    return (await repository()).status?.history?.[0]?.result;
  }
});

/** Between two workers there is none, and no record of one. */
function newWorker(killed: number): boolean {
  try {
    return pidOf('worker') !== killed;
  } catch {
    return false;
  }
}

async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  for (const end = performance.now() + 120_000; performance.now() < end; await sleep(50)) {
    if (await condition()) return;
  }
  assert.fail(`${what}: not within 2 minutes`);
}
