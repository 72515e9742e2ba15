import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { storageScheduleId } from '../../domain/lifecycle/ids.ts';
import type { StorageLine } from '../../domain/lifecycle/storage.ts';
import type { Content, Image } from '../../infra/local/demo/image.ts';
import { demoRegistry } from '../../infra/local/demo/registry.ts';
import { liveLifecycle } from '../support/live-lifecycle.ts';
import { liveSync, until } from '../support/live-sync.ts';
import { madeImage, madeLayer } from '../support/made-image.ts';
import { endpoints } from '../support/stack.ts';

const { registries, workerMetrics } = endpoints();
const { upstream, edge } = registries;
// Policies cover a namespace: other tests' images must not be in it.
const live = liveSync(`storage-${randomBytes(3).toString('hex')}`);
const cycle = liveLifecycle(live);
const site = live.unique('vault');
const capacity = 1_000_000;
let secret = '';

before(async () => {
  await cycle.createNamespace();
  secret = await live.secret(upstream);
  // A site of its own, so that its numbers are known to the byte.
  await live.resources.resource('edgesites').create({
    apiVersion: 'image.theriseunion.io/v1alpha1',
    kind: 'EdgeSite',
    metadata: { name: site },
    spec: {
      registry: { domain: edge.domain, credentialSecretName: 'site-edge', pathPrefix: `${site}/` },
      capacity,
    },
  });
});
after(() => live.close());

/** Brings images to the site under tags of one repository; its path there. */
async function bring(images: Readonly<Record<string, Image>>): Promise<string> {
  const path = `test/${live.unique('stored')}`;
  for (const [tag, image] of Object.entries(images)) await demoRegistry(upstream).push(path, tag, image);
  const tag = Object.keys(images).at(-1) ?? '';
  const spec = { repository: path, tag, tagSelector: { semver: '>=1' }, sites: [site] };
  const { record } = await live.ended(await live.repository(secret, spec));
  assert.equal(record.result, 'Success', JSON.stringify(record));
  return `${site}/${path}`;
}

const partsOf = (...images: Image[]): Content[] =>
  images.flatMap(({ manifests, blobs }) => manifests.concat(blobs));
/** Bytes of everything once. */
const bytesOf = (parts: readonly Content[]): number =>
  [...new Map(parts.map(({ digest, bytes }) => [digest, bytes.length])).values()].reduce((a, b) => a + b, 0);

/** Every sample of the worker's page, by name and labels. */
async function scrape(): Promise<ReadonlyMap<string, number>> {
  const page = await (await fetch(workerMetrics)).text();
  const lines = page.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]));
}

test('Prometheus sees what each image, repository and site takes, and what a cleanup freed, to the byte', async () => {
  const [base, own, shared] = [madeLayer(5000), madeLayer(3000), madeLayer(7000)];
  const [a1, a2, a3] = [madeImage([base, 1000]), madeImage([base, own]), madeImage([base, shared])];
  const b1 = madeImage([shared, 400]);
  const [a, b] = [await bring({ '1.0.0': a1, '1.1.0': a2, '1.2.0': a3 }), await bring({ '1.0.0': b1 })];

  const policy = await cycle.policy({ keepRecent: 2, gracePeriod: '1s' });
  const route = `namespaces/${live.namespace}/image-cleanup-policies/${policy}`;
  assert.equal((await cycle.call('POST', `${route}/run`)).status, 200);
  await cycle.phase(policy, 'Idle', ({ status }) => status?.freedBytes !== undefined);
  const freed = bytesOf(partsOf(a1)) - base.bytes.length;

  const all = bytesOf(partsOf(a2, a3, b1));
  const { bytes: sharedBytes } = shared;
  const measured = await until('storage is measured', async () => {
    await live.temporal.schedule.getHandle(storageScheduleId).trigger();
    await sleep(1000);
    const { body } = await cycle.call('GET', `storage?site=${site}&limit=100`);
    const lines = body['items'] as StorageLine[];
    return lines.find(({ path }) => path === undefined)?.totalBytes === all ? lines : undefined;
  });
  const told = measured.map(({ path, tag, totalBytes, uniqueBytes, sharedBytes: both }) => [
    `${path ?? ''}:${tag ?? ''}`,
    [totalBytes, uniqueBytes, both],
  ]);
  const line = (parts: readonly Content[], common: number): number[] => {
    const total = bytesOf(parts);
    return [total, total - common, common];
  };
  assert.deepEqual(Object.fromEntries(told), {
    ':': line(partsOf(a2, a3, b1), 0),
    [`${a}:`]: line(partsOf(a2, a3), sharedBytes.length),
    [`${b}:`]: line(partsOf(b1), sharedBytes.length),
    [`${a}:1.1.0`]: line(partsOf(a2), base.bytes.length),
    [`${a}:1.2.0`]: line(partsOf(a3), base.bytes.length + sharedBytes.length),
    [`${b}:1.0.0`]: line(partsOf(b1), sharedBytes.length),
  });

  const expected = {
    [`image_storage_bytes{registry_name="${site}",image="${a}"}`]: bytesOf(partsOf(a2, a3)),
    [`image_storage_unique_bytes{registry_name="${site}",image="${a}"}`]:
      bytesOf(partsOf(a2, a3)) - sharedBytes.length,
    [`image_storage_bytes{registry_name="${site}",image="${b}"}`]: bytesOf(partsOf(b1)),
    [`image_storage_unique_bytes{registry_name="${site}",image="${b}"}`]:
      bytesOf(partsOf(b1)) - sharedBytes.length,
    [`image_storage_registry_bytes{registry_name="${site}",registry="${edge.domain}"}`]: all,
    [`image_storage_usage_percent{registry_name="${site}"}`]: (100 * all) / capacity,
    [`image_cleanup_freed_bytes{namespace="${live.namespace}",policy="${policy}"}`]: freed,
  };
  let shown: Record<string, number | undefined> = {};
  // The page reads what was measured once a minute at most.
  await until(
    'the page shows it',
    async () => {
      const samples = await scrape();
      shown = Object.fromEntries(Object.keys(expected).map((name) => [name, samples.get(name)]));
      if (!Object.values(shown).includes(undefined)) return true;
      await sleep(1000);
      return undefined;
    },
    120_000,
  );
  assert.deepEqual(shown, expected);
});
