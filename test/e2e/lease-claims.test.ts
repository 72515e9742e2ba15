import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { CoordinationV1Api } from '@kubernetes/client-node';
import { systemNamespace } from '../../domain/resources/meta.ts';
import { connectCluster } from '../../infra/kubernetes/connection.ts';
import { createLeaseClaims } from '../../infra/kubernetes/lease-claims.ts';
import { freePort } from '../../infra/local/ports.ts';
import { rejection } from '../support/refusal.ts';
import { endpoints } from '../support/stack.ts';

const { kubeconfig } = endpoints();
/** As the worker does: by its own identity, each over a connection of its own. */
const claimant = () => createLeaseClaims(connectCluster(join(dirname(kubeconfig), 'controller.kubeconfig')));
const [one, other] = [claimant(), claimant()];
const run = randomUUID();
const names = Array.from({ length: 20 }, (_none, at) => `bucket/sites/${run}/${at}/manifest.dsse.json`);

after(async () => {
  const leases = connectCluster(kubeconfig).makeApiClient(CoordinationV1Api);
  const namespace = systemNamespace;
  const { items } = await leases.listNamespacedLease({ namespace });
  for (const { metadata } of items) {
    const isOurs = metadata?.annotations?.['image.theriseunion.io/claim']?.includes(run) === true;
    if (isOurs) await leases.deleteNamespacedLease({ namespace, name: metadata?.name ?? '' });
  }
});

test('K11 of two claimants at the same moment one has the name, for ever', async () => {
  const won = await Promise.all(
    names.map((name) => Promise.all([one.claim(name, 'sha256:one'), other.claim(name, 'sha256:other')])),
  );
  for (const pair of won) assert.equal(pair.filter(Boolean).length, 1, JSON.stringify(won));
  for (const [at, name] of names.entries()) {
    const again = [await one.claim(name, 'sha256:one'), await other.claim(name, 'sha256:other')];
    assert.deepEqual(again, won[at], 'whoever asks again gets the same answer');
  }
});

test('K11 a claimant whose first answer was lost still has its name, whichever of two hubs asks', async () => {
  const name = `bucket/sites/${run}/lost`;
  assert.equal(await one.claim(name, 'sha256:same'), true);
  assert.deepEqual(
    [await one.claim(name, 'sha256:same'), await other.claim(name, 'sha256:same')],
    [true, true],
  );
});

test('K11 without an API server nobody has a name', async () => {
  const config = connectCluster(kubeconfig);
  const [cluster] = config.clusters;
  assert.ok(cluster);
  config.clusters = [{ ...cluster, server: `https://127.0.0.1:${await freePort()}` }];
  await rejection('ClusterUnavailable', createLeaseClaims(config).claim(`${run}/nobody`, 'sha256:one'));
});
