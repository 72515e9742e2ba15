import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EdgeSite } from '../../../domain/resources/edge-site.ts';
import { InterruptedSyncs } from '../../../worker/reconcile/interrupted-syncs.ts';
import { RepositoryReconciler } from '../../../worker/reconcile/repositories.ts';
import { startReconcilers } from '../../../worker/reconcile/start.ts';
import type { MemoryCluster } from '../../support/memory-cluster.ts';
import { behind, ref, scene, synced } from '../../support/reconcile-scene.ts';

const version = 'image.theriseunion.io/v1alpha1' as const;

test('a new Repository gets its schedule and its first sync, once', async () => {
  const { temporal, reconciler } = await scene();
  await reconciler.reconcile(ref);
  await reconciler.reconcile(ref);
  assert.deepEqual(temporal.calls, ['schedule every 3600000', 'start create']);
});

test('what is watched may be behind: a sync that has ended meanwhile is not started once more', async () => {
  const { cluster, temporal, deps } = await scene();
  const seen = await cluster.resource('repositories').get(ref);
  await cluster.resource('repositories').applyStatus(ref, '', synced);
  await new RepositoryReconciler({ ...deps, caches: behind(cluster, seen) }).reconcile(ref);
  assert.deepEqual(temporal.calls, ['schedule every 3600000']);
});

test('a sync that another replica started and ended while this one wrote it down is not started once more', async () => {
  const { cluster, temporal, reconciler } = await scene();
  temporal.whileStarting = async () => cluster.resource('repositories').applyStatus(ref, '', synced);
  await reconciler.reconcile(ref);
  assert.deepEqual(temporal.calls, ['schedule every 3600000']);
});

test('a Repository that is deleted while its first sync is written down gets none, and no failure', async () => {
  const { cluster, temporal, reconciler } = await scene();
  temporal.whileStarting = async () => cluster.resource('repositories').delete(ref);
  await reconciler.reconcile(ref);
  assert.deepEqual(temporal.calls, ['schedule every 3600000']);
  assert.equal(temporal.runs.size, 0);
});

test('what is watched may be behind: a Repository that was made anew is not taken for a deleted one', async () => {
  const { cluster, temporal, deps } = await scene();
  await new RepositoryReconciler({ ...deps, caches: behind(cluster, undefined) }).reconcile(ref);
  assert.deepEqual(temporal.calls, []);
});

test('a deleted Repository loses its schedule and the run that was there, and no other', async () => {
  const { cluster, temporal, reconciler } = await scene();
  await reconciler.reconcile(ref);
  await cluster.resource('repositories').delete(ref);
  await reconciler.reconcile(ref);
  assert.deepEqual(temporal.calls.slice(2), ['unschedule', 'cancel run 1']);
});

test('O17: a request whose answer was not noted is not served twice, also by another replica', async () => {
  const { cluster, temporal, deps, reconciler } = await scene({ status: synced });
  await cluster
    .resource('repositories')
    .patch(ref, { metadata: { annotations: { 'theriseunion.io/manual-sync': '7' } } });
  const asked = await cluster.resource('repositories').get(ref);
  await reconciler.reconcile(ref);
  const run = temporal.runs.get('shop/app');
  assert.ok(run !== undefined);
  temporal.runs.set('shop/app', { ...run, isOpen: false });
  assert.ok(asked !== undefined);
  // The worker died before it noted the answer: the annotation is as it was.
  const forgetful = { ...cluster.resource('repositories'), get: async () => asked };
  const clients = { resource: () => forgetful } as unknown as MemoryCluster;
  await new RepositoryReconciler({ ...deps, clients, caches: behind(cluster, asked) }).reconcile(ref);
  assert.deepEqual(
    temporal.calls.filter((call) => call.startsWith('start')),
    ['start manual'],
  );
});

test('O17: two replicas that see the same start one sync and make one schedule', async () => {
  const { cluster, temporal, deps } = await scene();
  const stops = [startReconcilers({ ...deps, sweepMs: 20 }), startReconcilers({ ...deps, sweepMs: 20 })];
  for (const value of ['1', '2', '3']) {
    await pause(60);
    await cluster
      .resource('repositories')
      .patch(ref, { metadata: { annotations: { 'theriseunion.io/manual-sync': value } } });
  }
  await pause(100);
  await Promise.all(stops.map((stop) => stop()));
  assert.deepEqual(
    temporal.calls.filter((call) => call.startsWith('start')),
    ['start create'],
    'the requests join the run that is under way',
  );
  assert.equal(temporal.schedules.size, 1);
  const annotations = (await cluster.resource('repositories').get(ref))?.metadata.annotations;
  assert.equal(annotations?.['theriseunion.io/manual-sync-handled'], '3');
});

test('a cancel request is passed on and noted', async () => {
  const { cluster, temporal, reconciler } = await scene({ status: synced });
  await cluster
    .resource('repositories')
    .patch(ref, { metadata: { annotations: { 'theriseunion.io/cancel-sync': 'x' } } });
  await reconciler.reconcile(ref);
  await reconciler.reconcile(ref);
  assert.deepEqual(
    temporal.calls.filter((call) => call.startsWith('cancel')),
    ['cancel'],
  );
});

test('a new default site starts a sync of what names no site', async () => {
  const { cluster, temporal, deps } = await scene({ status: synced });
  const stop = startReconcilers({ ...deps, sweepMs: 60_000 });
  await pause(30);
  const site: EdgeSite = {
    apiVersion: version,
    kind: 'EdgeSite',
    metadata: { name: 'north' },
    spec: { default: true, registry: { domain: 'north.example' } },
  };
  await cluster.resource('edgesites').create(site);
  await pause(30);
  await stop();
  assert.deepEqual(temporal.calls, ['schedule every 3600000', 'start site']);
});

test('a schedule that was deleted in Temporal is made again, one whose Repository is gone goes', async () => {
  const { temporal, reconciler } = await scene({ status: synced });
  await reconciler.reconcile(ref);
  temporal.schedules.clear();
  temporal.schedules.set('shop/gone', { everyMs: 1000, paused: false });
  const look = await reconciler.sweep();
  for (const each of look) await reconciler.reconcile(each);
  await reconciler.reconcile(ref);
  assert.deepEqual([...temporal.schedules.keys()], ['shop/app']);
});

test('a schedule that somebody paused in Temporal stays paused, and the Repository says so', async () => {
  const { cluster, temporal, reconciler } = await scene({ status: synced });
  await reconciler.reconcile(ref);
  temporal.schedules.set('shop/app', { everyMs: 3_600_000, paused: true, heldBy: 'maintenance' });
  for (const each of await reconciler.sweep()) await reconciler.reconcile(each);
  assert.deepEqual(await condition(cluster, 'Scheduled'), ['False', 'PausedInTemporal']);
  temporal.schedules.set('shop/app', { everyMs: 3_600_000, paused: false });
  for (const each of await reconciler.sweep()) await reconciler.reconcile(each);
  assert.deepEqual(await condition(cluster, 'Scheduled'), ['True', 'Active']);
});

test('a RegistrySecret that goes, and one whose Secret goes, show on the Repositories that use it', async () => {
  const { cluster, deps } = await scene({ status: synced });
  const stop = startReconcilers({ ...deps, sweepMs: 60_000 });
  await pause(30);
  assert.equal(await condition(cluster, 'CredentialReady'), undefined, 'nothing to tell while all is well');
  const hub = { namespace: 'shop', name: 'hub' };
  const missing = { type: 'Verified', status: 'False', reason: 'SecretNotFound', message: '' } as const;
  const conditions = [{ ...missing, lastTransitionTime: 'now' }];
  await cluster.resource('registrysecrets').applyStatus(hub, '', { conditions });
  await pause(30);
  assert.deepEqual(await condition(cluster, 'CredentialReady'), ['False', 'SecretNotFound']);
  await cluster.resource('registrysecrets').delete(hub);
  await pause(30);
  assert.deepEqual(await condition(cluster, 'CredentialReady'), ['False', 'RegistrySecretNotFound']);
  await stop();
});

test('a status that says Syncing while no run is open is put right', async () => {
  const { cluster, temporal, deps } = await scene({ status: { ...synced, syncStatus: 'Syncing' } });
  const interrupted = new InterruptedSyncs(deps, 0);
  const open = { workflowId: 'sync/shop/app', runId: '7', trigger: 'manual', started: 'then' } as const;
  temporal.runs.set('shop/app', { ...open, isOpen: true });
  for (let round = 0; round < 3; round += 1)
    await interrupted.sweep(await cluster.resource('repositories').list());
  assert.equal((await cluster.resource('repositories').get(ref))?.status?.syncStatus, 'Syncing');
  temporal.runs.set('shop/app', { ...open, isOpen: false });
  await interrupted.sweep(await cluster.resource('repositories').list());
  const status = (await cluster.resource('repositories').get(ref))?.status;
  assert.deepEqual(
    [status?.syncStatus, status?.history?.[0]?.runId, status?.history?.[0]?.reason],
    ['Failed', '7', 'SyncInterrupted'],
  );
  assert.deepEqual(await condition(cluster, 'Synced'), ['False', 'SyncInterrupted']);
});

async function condition(
  cluster: MemoryCluster,
  type: string,
): Promise<readonly [string, string] | undefined> {
  const found = (await cluster.resource('repositories').get(ref))?.status?.conditions?.find(
    (each) => each.type === type,
  );
  return found === undefined ? undefined : [found.status, found.reason];
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
