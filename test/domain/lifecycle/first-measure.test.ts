import assert from 'node:assert/strict';
import { test } from 'node:test';
import { arrivals, firstMeasure, type Unmeasured } from '../../../domain/lifecycle/first-measure.ts';
import type { StorageLine } from '../../../domain/lifecycle/storage.ts';

const minute = 60_000;
const line: StorageLine = {
  site: 'edge',
  registry: 'edge.example',
  images: 1,
  totalBytes: 1,
  uniqueBytes: 1,
  sharedBytes: 0,
};

/** Looks once a minute, `counts` Repositories at the site `edge` each time; the minutes at which a measurement was due. */
function dueAt(counts: readonly number[], lines: readonly StorageLine[] = []): number[] {
  let known: ReadonlyMap<string, Unmeasured> = new Map();
  return counts.flatMap((count, at) => {
    const arrived = new Map(count === 0 ? [] : [['edge', count] as const]);
    const looked = firstMeasure(known, arrived, { lines }, at * minute);
    known = looked.unmeasured;
    return looked.due ? [at] : [];
  });
}

test('a site with its first images is measured once no more arrive, and once only', () => {
  assert.deepEqual(dueAt([0, 1, 5, 9, 9, 9, 10, 10]), [4]);
});

test('a site to which images keep coming is measured after ten minutes', () => {
  assert.deepEqual(dueAt(Array.from({ length: 30 }, (_, index) => index + 1)), [10]);
});

test('a site that the measuring missed is asked for again after an hour', () => {
  assert.deepEqual(dueAt(Array.from({ length: 130 }, () => 1)), [1, 61, 121]);
});

test('a site that is measured, and one that holds nothing, ask for nothing', () => {
  assert.deepEqual(dueAt([1, 1, 1], [line]), []);
  assert.deepEqual(dueAt([0, 0, 0]), []);
});

test('what arrived counts by connected site that there is', () => {
  const apiVersion = 'image.theriseunion.io/v1alpha1' as const;
  const sites = (['connected', 'offline'] as const).map((mode) => ({
    apiVersion,
    kind: 'EdgeSite' as const,
    metadata: { name: mode },
    spec: { mode, registry: { domain: 'r.example' } },
  }));
  const repository = {
    apiVersion,
    kind: 'Repository' as const,
    metadata: { name: 'web', namespace: 'shop' },
    spec: { repository: 'shop/web', tag: '1', registryRef: { name: 'hub' } },
    status: {
      sites: ['connected', 'offline', 'gone'].map((site) => ({ site, state: 'Synced' as const })),
    },
  };
  assert.deepEqual([...arrivals([repository, repository], sites)], [['connected', 2]]);
});
