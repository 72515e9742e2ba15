import assert from 'node:assert/strict';
import { test } from 'node:test';
import { measureStorage } from '../../activities/storage.ts';
import { Failure } from '../../domain/failure.ts';
import { parseRegistryDomain } from '../../domain/names/registry-domain.ts';
import type { EdgeSite } from '../../domain/resources/edge-site.ts';
import type { Repository } from '../../domain/resources/repository.ts';
import { newRepository } from '../support/api-in-process.ts';
import { inActivity } from '../support/in-activity.ts';
import { MemoryCluster } from '../support/memory-cluster.ts';
import { memoryDocuments } from '../support/memory-documents.ts';

const apiVersion = 'image.theriseunion.io/v1alpha1' as const;
const images = 50;

/** Two sites that hold every image; `refuses` says whether a site's registry refuses a listing. */
async function measured(refuses: (site: string, listing: number) => boolean) {
  const cluster = new MemoryCluster();
  for (const name of ['north', 'south']) {
    const registry = { domain: `${name}.example` };
    const site: EdgeSite = { apiVersion, kind: 'EdgeSite', metadata: { name }, spec: { registry } };
    await cluster.resource('edgesites').create(site);
  }
  for (let number = 0; number < images; number += 1) {
    const made = newRepository(`app-${number}`, {
      repository: `team/app-${number}`,
      sites: ['north', 'south'],
    });
    const metadata = { ...made.metadata, namespace: 'shop' };
    await cluster.resource('repositories').create({ ...made, metadata } as Repository);
  }
  const read: string[] = [];
  const listings = new Map<string, number>();
  let found = 0;
  await inActivity(() =>
    measureStorage({
      resources: cluster,
      credentials: {
        ...cluster.credentials,
        siteAccess: async ({ metadata, spec }) => {
          read.push(metadata.name);
          return { domain: parseRegistryDomain(spec.registry.domain), provider: 'other' };
        },
      },
      inspector: {
        listTags: async ({ registry }) => {
          const site = registry.domain.split('.')[0] ?? '';
          const listing = (listings.get(site) ?? 0) + 1;
          listings.set(site, listing);
          if (refuses(site, listing)) throw new Failure('Unauthorized');
          found += 1;
          return [];
        },
        inspect: async () => undefined,
      },
      documents: memoryDocuments(),
      registries: {
        tellsPulls: () => false,
        lastPulls: async () => new Map(),
        collectGarbage: async () => 'unsupported',
      },
      now: () => 0,
    }),
  );
  return { read, found };
}

test('how to reach a site is read once for all its images', async () => {
  const { read, found } = await measured(() => false);
  assert.deepEqual(read.toSorted(), ['north', 'south']);
  assert.equal(found, 2 * images);
});

test('a credential that is replaced during a pass is read again, and costs one image', async () => {
  const { read, found } = await measured((site, listing) => site === 'north' && listing === 10);
  assert.deepEqual(read.toSorted(), ['north', 'north', 'south']);
  assert.equal(found, 2 * images - 1);
});
