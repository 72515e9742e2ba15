import assert from 'node:assert/strict';
import { test } from 'node:test';
import { storageDocument } from '../../../domain/lifecycle/ids.ts';
import { FirstMeasure } from '../../../worker/reconcile/first-measure.ts';
import { MemoryCluster } from '../../support/memory-cluster.ts';
import { memoryDocuments } from '../../support/memory-documents.ts';

const apiVersion = 'image.theriseunion.io/v1alpha1' as const;

test('after the first sync of a site its storage is measured once, and not looked up again once it is known', async () => {
  const cluster = new MemoryCluster();
  const registry = { domain: 'edge.example' };
  await cluster
    .resource('edgesites')
    .create({ apiVersion, kind: 'EdgeSite', metadata: { name: 'edge' }, spec: { registry } });
  await cluster.resource('repositories').create({
    apiVersion,
    kind: 'Repository',
    metadata: { name: 'web', namespace: 'shop' },
    spec: { repository: 'shop/web', tag: '1', registryRef: { name: 'hub' } },
    status: { sites: [{ site: 'edge', state: 'Synced' }] },
  });
  const documents = memoryDocuments();
  let [measured, reads, now] = [0, 0, 0];
  const read = (key: string) => {
    reads += 1;
    return documents.read(key);
  };
  const schedules = { measureNow: async () => void (measured += 1) };
  const first = new FirstMeasure({ caches: cluster, documents: { read }, schedules, now: () => now });
  const looks = async (count: number): Promise<void> => {
    for (let look = 0; look < count; look += 1) {
      await first.look();
      now += 60_000;
    }
  };
  await looks(5);
  assert.equal(measured, 1);
  const line = { site: 'edge', registry: 'edge.example', images: 1, totalBytes: 1, uniqueBytes: 1 };
  await documents.write(storageDocument, JSON.stringify({ measured: '', lines: [line] }));
  await looks(1);
  const before = reads;
  await looks(100);
  assert.deepEqual([measured, reads], [1, before]);
});
