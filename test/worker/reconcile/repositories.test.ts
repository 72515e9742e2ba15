import assert from 'node:assert/strict';
import { test } from 'node:test';
import pino from 'pino';
import { Failure } from '../../../domain/failure.ts';
import type { EdgeSite } from '../../../domain/resources/edge-site.ts';
import type { ObjectRef } from '../../../domain/resources/meta.ts';
import type { RegistrySecret } from '../../../domain/resources/registry-secret.ts';
import type { Repository, RepositoryStatus } from '../../../domain/resources/repository.ts';
import type { ResourceCache } from '../../../infra/kubernetes/cluster.ts';
import type { ScheduleState, SyncRun, WorkflowGateway } from '../../../infra/temporal/gateway.ts';
import { InterruptedSyncs } from '../../../worker/reconcile/interrupted-syncs.ts';
import { RepositoryReconciler } from '../../../worker/reconcile/repositories.ts';
import { startReconcilers } from '../../../worker/reconcile/start.ts';
import { MemoryCluster } from '../../support/memory-cluster.ts';

const version = 'image.theriseunion.io/v1alpha1' as const;
const ref = { namespace: 'shop', name: 'app' };
const synced: RepositoryStatus = { observedGeneration: 1, syncStatus: 'Success', sites: [] };

/** Temporal as far as the reconcilers see it; like it, it starts one run per id. */
class MemoryGateway {
  readonly calls: string[] = [];
  readonly schedules = new Map<string, ScheduleState>();
  readonly runs = new Map<string, SyncRun & { readonly request?: string }>();
  /** What happens between the wish for a sync and its start. */
  whileStarting = async (): Promise<void> => {};

  get gateway(): WorkflowGateway {
    const key = ({ namespace, name }: ObjectRef): string => `${namespace}/${name}`;
    const done = async (call: string): Promise<void> => void this.calls.push(call);
    const own: Partial<WorkflowGateway> = {
      startSync: async (at, trigger, request, isWanted) => {
        await this.whileStarting();
        const isUnwanted = (await isWanted?.()) === false;
        const before = this.runs.get(key(at));
        if (isUnwanted) {
          if (before === undefined) throw new Failure('Superseded');
          return { ...before, alreadyRunning: before.isOpen };
        }
        const run = { workflowId: `sync/${key(at)}`, runId: '1', isOpen: true, trigger, started: 'now' };
        const isServed = before?.isOpen === true || (request !== undefined && before?.request === request);
        if (!isServed) {
          this.runs.set(key(at), { ...run, ...(request === undefined ? {} : { request }) });
          await done(`start ${trigger}`);
        }
        return { ...run, alreadyRunning: isServed };
      },
      newestSync: async (at) => this.runs.get(key(at)),
      cancelSync: async (_at, runId) => {
        await done(`cancel${runId === undefined ? '' : ` run ${runId}`}`);
        return true;
      },
      ensureSchedule: async (at, plan) => {
        await done(`schedule every ${plan.everyMs}`);
        const state = { ...plan, ...this.schedules.get(key(at)) };
        this.schedules.set(key(at), state);
        return state;
      },
      deleteSchedule: async (at) => {
        this.schedules.delete(key(at));
        await done('unschedule');
      },
      scheduledRepositories: async () =>
        [...this.schedules].map(([name, state]) =>
          Object.assign(
            { ref: { namespace: name.split('/')[0] ?? '', name: name.split('/')[1] ?? '' } },
            state,
          ),
        ),
      startVerify: async () => ({ workflowId: 'v', runId: '1', alreadyRunning: false }),
    };
    return own as WorkflowGateway;
  }
}

async function scene(change: Partial<Repository> = {}) {
  const cluster = new MemoryCluster();
  const temporal = new MemoryGateway();
  const secret: RegistrySecret = {
    apiVersion: version,
    kind: 'RegistrySecret',
    metadata: { name: 'hub', namespace: 'shop' },
    spec: { domain: 'hub.example', username: 'u', password: '<encrypted>', provider: 'other' },
  };
  await cluster.resource('registrysecrets').create(secret);
  const repository: Repository = {
    apiVersion: version,
    kind: 'Repository',
    metadata: { ...ref, generation: 1 },
    spec: { repository: 'a/b', tag: 'v1', registryRef: { name: 'hub' } },
    ...change,
  };
  await cluster.resource('repositories').create(repository);
  const deps = {
    clients: cluster,
    caches: cluster,
    credentials: cluster.credentials,
    events: cluster.recorder,
    workflows: temporal.gateway,
    log: pino({ level: 'silent' }),
    now: () => Date.parse('2026-01-01T00:00:00Z'),
  };
  return { cluster, temporal, deps, reconciler: new RepositoryReconciler(deps) };
}

/** What is watched, as it was before something happened that the watch has not told yet. */
function behind(cluster: MemoryCluster, seen: Repository | undefined) {
  const repositories: ResourceCache<'repositories'> = {
    ...cluster.cache('repositories'),
    get: () => seen,
  };
  return {
    cache: (plural: string) => (plural === 'repositories' ? repositories : cluster.cache(plural as never)),
  } as unknown as MemoryCluster;
}

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
