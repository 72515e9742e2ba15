import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSweepActivities } from '../../activities/sweep-documents.ts';
import {
  ledgerKey,
  planKey,
  readsKey,
  retiredKey,
  datesKey,
  usageKey,
} from '../../activities/cleanup-documents.ts';
import { documentGraceMs } from '../../domain/lifecycle/document-owners.ts';
import { storageDocument } from '../../domain/lifecycle/ids.ts';
import type { EdgeSite } from '../../domain/resources/edge-site.ts';
import type { Repository } from '../../domain/resources/repository.ts';
import { newRepository } from '../support/api-in-process.ts';
import { inActivity } from '../support/in-activity.ts';
import { MemoryCluster } from '../support/memory-cluster.ts';
import { memoryDocuments } from '../support/memory-documents.ts';

const apiVersion = 'image.theriseunion.io/v1alpha1' as const;
const policy = { namespace: 'shop', name: 'old' };
const image = 'team/app';

/** One site, one Repository and one policy, with a document of each kind. */
async function scene() {
  const cluster = new MemoryCluster();
  const documents = memoryDocuments();
  let now = Date.parse('2026-01-01T00:00:00Z');
  const spec = { registry: { domain: 'north.example' } };
  const site: EdgeSite = { apiVersion, kind: 'EdgeSite', metadata: { name: 'north' }, spec };
  await cluster.resource('edgesites').create(site);
  const made = newRepository('app', { repository: image, sites: ['north'] });
  await cluster
    .resource('repositories')
    .create({ ...made, metadata: { ...made.metadata, namespace: 'shop' } } as Repository);
  await cluster
    .resource('imagecleanuppolicies')
    .create({ apiVersion, kind: 'ImageCleanupPolicy', metadata: policy, spec: {} } as never);
  const keys = [
    planKey(policy),
    ledgerKey('north', image),
    retiredKey('north', image),
    readsKey('north', image),
    datesKey('hub.example', `library/${image}`),
    usageKey,
  ].map(({ key }) => key);
  for (const key of [...keys, storageDocument]) await documents.write(key, JSON.stringify({ items: [] }));
  const steps = createSweepActivities({ resources: cluster, documents, stored: documents, now: () => now });
  return {
    cluster,
    documents,
    sweep: () => inActivity(() => steps.sweepDocuments()),
    pass: (ms: number) => void (now += ms),
    left: async () => {
      const keys: string[] = [];
      for await (const { key } of documents.list()) keys.push(key);
      return keys;
    },
    all: [...keys, storageDocument],
  };
}

const endAll = async (cluster: MemoryCluster): Promise<void> => {
  await cluster.resource('imagecleanuppolicies').delete(policy);
  await cluster.resource('repositories').delete({ namespace: 'shop', name: 'app' });
};

test('what documents are about is there: all of them stay, however old', async () => {
  const { sweep, pass, left, all } = await scene();
  for (let round = 0; round < 3; round += 1) {
    assert.equal(await sweep(), 0);
    pass(documentGraceMs);
  }
  assert.deepEqual((await left()).toSorted(), all.toSorted());
});

test('thirty days after a policy and an image are gone their documents go, and no others', async () => {
  const { cluster, sweep, pass, left } = await scene();
  await endAll(cluster);
  assert.equal(await sweep(), 0);
  pass(documentGraceMs - 1);
  assert.equal(await sweep(), 0);
  pass(1);
  assert.equal(await sweep(), 5);
  assert.deepEqual((await left()).toSorted(), [storageDocument, usageKey.key].toSorted());
});

test('documents of a site that is gone go, those of the image at other sites stay', async () => {
  const { cluster, documents, sweep, pass, left } = await scene();
  await documents.write(ledgerKey('south', image).key, '{}');
  await sweep();
  pass(documentGraceMs);
  assert.equal(await sweep(), 1);
  assert.ok((await left()).includes(ledgerKey('north', image).key));
  assert.equal((await cluster.resource('edgesites').list()).length, 1);
});

test('a document that is written again, or whose policy is made again, begins anew', async () => {
  const { cluster, documents, sweep, pass, left } = await scene();
  const before = await cluster.resource('imagecleanuppolicies').get(policy);
  await endAll(cluster);
  await sweep();
  pass(documentGraceMs - 1);
  await documents.write(ledgerKey('north', image).key, '{}');
  await cluster.resource('imagecleanuppolicies').create({ ...before, metadata: policy } as never);
  await sweep();
  await cluster.resource('imagecleanuppolicies').delete(policy);
  pass(1);
  assert.equal(await sweep(), 3, 'what was retired, read and dated');
  const stay = await left();
  assert.ok(stay.includes(planKey(policy).key) && stay.includes(ledgerKey('north', image).key));
  pass(documentGraceMs);
  assert.equal(await sweep(), 2);
});

test('a plan that alone knows which tags are parked stays until they are put back', async () => {
  const { cluster, documents, sweep, pass, left } = await scene();
  const { key } = planKey(policy);
  await documents.write(key, JSON.stringify({ items: [{ state: 'parked' }] }));
  await endAll(cluster);
  await sweep();
  pass(2 * documentGraceMs);
  await sweep();
  assert.ok((await left()).includes(key));
  await documents.write(key, JSON.stringify({ items: [{ state: 'restored' }] }));
  await sweep();
  pass(documentGraceMs);
  assert.equal(await sweep(), 1);
});
