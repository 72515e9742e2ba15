import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failureAmong } from '../../activities/copy-to-sites.ts';
import { tellingFailedTry } from '../../activities/failed-try.ts';
import { Failure, type FailureCode } from '../../domain/failure.ts';
import type { RepositoryStatus } from '../../domain/resources/repository.ts';
import { planOf, root } from '../support/sync-scene.ts';
import { MemoryCluster } from '../support/memory-cluster.ts';

const now = '2026-01-01T00:00:00Z';
const ref = { namespace: 'default', name: 'web' };

/** A Repository that is being synced, as the cluster has it, and an order of its run. */
async function scene(syncStatus: RepositoryStatus['syncStatus'] = 'Syncing') {
  const cluster = new MemoryCluster();
  const repositories = cluster.resource('repositories');
  const { metadata } = await repositories.create({
    apiVersion: 'image.theriseunion.io/v1alpha1',
    kind: 'Repository',
    metadata: ref,
    spec: { repository: 'shop/web', tag: '1', registryRef: { name: 'hub' } },
  });
  const before = {
    type: 'Synced',
    status: 'True',
    reason: 'Syncing',
    message: 'Syncing',
    lastTransitionTime: now,
  } as const;
  await repositories.changeStatus(ref, () => ({ syncStatus, conditions: [before] }));
  const claim = { ref, uid: metadata.uid ?? '', generation: 1, wanted: 'w' };
  const condition = async () => (await repositories.get(ref))?.status?.conditions?.[0];
  return {
    cluster,
    deps: { resources: cluster, clock: () => now },
    plan: planOf('web', { claim }),
    condition,
  };
}

/** One try of a step that fails; the condition afterwards. */
async function after(code: FailureCode, syncStatus?: RepositoryStatus['syncStatus'], tries = 1) {
  const { deps, plan, condition } = await scene(syncStatus);
  const failure = new Failure(code, { subject: 'hub.example', detail: 'ECONNREFUSED' });
  await assert.rejects(
    tellingFailedTry(deps, { plan, tries }, () => Promise.reject(failure)),
    failure,
  );
  return condition();
}

test('while a sync waits for its next try, its condition says why; whether it is synced stays', async () => {
  const told = await after('ConnectionRefused');
  assert.deepEqual([told?.status, told?.reason], ['True', 'Retrying']);
  assert.equal(
    told?.message,
    'A try failed and is made again: The connection was refused (hub.example; ECONNREFUSED) / 本次尝试失败，即将重试：连接被拒绝',
  );
});

test('a failure that is not tried again, one of our own, and a sync that is over say nothing of it', async () => {
  assert.equal((await after('TagNotFound'))?.reason, 'Syncing');
  assert.equal((await after('Internal'))?.reason, 'Syncing');
  assert.equal((await after('ConnectionRefused', 'Success'))?.reason, 'Syncing');
});

test('the last try does not promise another', async () => {
  assert.equal((await after('ConnectionRefused', 'Syncing', 3))?.reason, 'Retrying');
  assert.equal((await after('ConnectionRefused', 'Syncing', 4))?.reason, 'Syncing');
});

test('once the next try goes on, the condition says so, before it ends', async () => {
  const { deps, plan, condition } = await scene();
  const refused = () => Promise.reject(new Failure('ConnectionRefused'));
  await assert.rejects(tellingFailedTry(deps, { plan }, refused));
  assert.equal((await condition())?.reason, 'Retrying');
  await tellingFailedTry(deps, { plan, tries: 2 }, async () => {
    const told = await condition();
    assert.deepEqual([told?.status, told?.reason], ['True', 'Syncing']);
    assert.match(told?.message ?? '', /try 2/);
  });
});

test('a copy to a site that refuses says why, also where it is only one result of several', async () => {
  const { deps, plan, condition } = await scene();
  const failure = { code: 'ConnectionRefused', side: 'destination', subject: 'edge.example' } as const;
  const position = { before: 0, of: 2, together: 2 };
  const order = { plan, tag: 'v1', root, sites: ['north', 'edge'], position, recheck: false };
  const copies = [
    { site: 'north', pause: { pausedUntil: now } },
    { site: 'edge', failure },
  ] as const;
  await tellingFailedTry(deps, order, async () => copies, failureAmong(order));
  assert.match((await condition())?.message ?? '', /edge\.example/);
});

test('that a failed try cannot be written down hides neither it nor a result', async () => {
  const away = new MemoryCluster();
  const resource = away.resource.bind(away);
  away.resource = (plural) => ({
    ...resource(plural),
    updateStatus: () => Promise.reject(new Failure('ClusterUnavailable')),
  });
  const deps = { resources: away, clock: () => now };
  const plan = planOf('web');
  const refused = () => Promise.reject(new Failure('Timeout'));
  await assert.rejects(tellingFailedTry(deps, { plan }, refused), { code: 'Timeout' });
  assert.equal(await tellingFailedTry(deps, { plan }, async () => 7), 7);
});
