import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tellingFailedTry } from '../../activities/failed-try.ts';
import { Failure, type FailureCode } from '../../domain/failure.ts';
import type { RepositoryStatus } from '../../domain/resources/repository.ts';
import { MemoryCluster } from '../support/memory-cluster.ts';

const now = '2026-01-01T00:00:00Z';
const ref = { namespace: 'default', name: 'web' };

/** A Repository that is being synced, and one try of a step that fails; the condition afterwards. */
async function after(code: FailureCode, syncStatus: RepositoryStatus['syncStatus'] = 'Syncing') {
  const cluster = new MemoryCluster();
  const repositories = cluster.resource('repositories');
  const { metadata } = await repositories.create({
    apiVersion: 'image.theriseunion.io/v1alpha1',
    kind: 'Repository',
    metadata: ref,
    spec: { repository: 'shop/web', tag: '1', registryRef: { name: 'hub' } },
  });
  const condition = {
    type: 'Synced',
    status: 'True',
    reason: 'Syncing',
    message: 'Syncing',
    lastTransitionTime: now,
  } as const;
  await repositories.changeStatus(ref, () => ({ syncStatus, conditions: [condition] }));
  const failure = new Failure(code, { subject: 'hub.example', detail: 'ECONNREFUSED' });
  const claim = { ref, uid: metadata.uid ?? '' };
  const step = () => Promise.reject(failure);
  await assert.rejects(tellingFailedTry({ resources: cluster, clock: () => now }, claim, step), failure);
  return (await repositories.get(ref))?.status?.conditions?.[0];
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

test('that a failed try cannot be written down hides neither it nor a result', async () => {
  const away = new MemoryCluster();
  const resource = away.resource.bind(away);
  away.resource = (plural) => ({
    ...resource(plural),
    updateStatus: () => Promise.reject(new Failure('ClusterUnavailable')),
  });
  const deps = { resources: away, clock: () => now };
  const claim = { ref, uid: 'u' };
  const refused = () => Promise.reject(new Failure('Timeout'));
  await assert.rejects(tellingFailedTry(deps, claim, refused), { code: 'Timeout' });
  assert.equal(await tellingFailedTry(deps, claim, async () => 7), 7);
});
