import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import pino from 'pino';
import type { StageOrder } from '../../../domain/bundle/stage-plan.ts';
import type { EdgeSiteSpec } from '../../../domain/resources/edge-site.ts';
import { parseSiteName } from '../../../domain/names/kubernetes-name.ts';
import { startEdgeSiteReconciler } from '../../../worker/reconcile/edge-sites.ts';
import { MemoryCluster } from '../../support/memory-cluster.ts';

const apiVersion = 'image.theriseunion.io/v1alpha1';
const asked = 'theriseunion.io/stage-bundle';

/** A reconciler over a cluster in memory; what it asks of Temporal is written down. */
function scene(watched = (cluster: MemoryCluster): MemoryCluster => cluster) {
  const cluster = new MemoryCluster();
  const schedules = new Map<string, string>();
  const started: StageOrder[] = [];
  const clock = { now: 0, busy: false };
  const stop = startEdgeSiteReconciler({
    clients: cluster,
    caches: watched(cluster),
    events: cluster.recorder,
    gateway: {
      startStage: async (order) => {
        started.push(order);
        return { workflowId: 'bundle', runId: 'r', alreadyRunning: clock.busy };
      },
    },
    schedules: {
      ensureStage: async (site, cron) => void schedules.set(site, cron),
      deleteStage: async (site) => void schedules.delete(site),
      scheduledSites: async () => [...schedules.keys()],
    },
    log: pino({ level: 'silent' }),
    sweepMs: 10,
    settleMs: 0,
    now: () => clock.now,
  });
  const site = (name: string, spec: Partial<EdgeSiteSpec>, annotations: Record<string, string> = {}) =>
    cluster.resource('edgesites').create({
      apiVersion,
      kind: 'EdgeSite',
      metadata: { name: parseSiteName(name), annotations },
      spec: { mode: 'offline', registry: { domain: 'edge.example' }, ...spec },
    });
  return { cluster, schedules, started, clock, stop, site, settle: () => sleep(40) };
}

test('a site with a schedule has one in Temporal, and none once it wants none or is gone', async () => {
  const { cluster, schedules, site, settle, stop } = scene();
  await site('plant', { bundle: { schedule: ' 0  3 * * 1 ' } });
  await settle();
  assert.deepEqual([...schedules], [['plant', '0 3 * * 1']]);
  await cluster.resource('edgesites').patch({ name: 'plant' }, { spec: { mode: 'connected' } });
  await settle();
  assert.deepEqual([...schedules], []);
  await cluster.resource('edgesites').patch({ name: 'plant' }, { spec: { mode: 'offline' } });
  await settle();
  assert.equal(schedules.size, 1);
  await cluster.resource('edgesites').delete({ name: 'plant' });
  await settle();
  assert.equal(schedules.size, 0);
  schedules.set('gone-while-nobody-watched', '* * * * *');
  await settle();
  assert.equal(schedules.size, 0);
  await stop();
});

test('a wrong schedule or a wrong wish is complained about and starts nothing', async () => {
  const { cluster, schedules, started, site, settle, stop } = scene();
  await site('odd', { bundle: { schedule: 'at noon' } }, { [asked]: 'everything' });
  await settle();
  assert.deepEqual([schedules.size, started.length], [0, 0]);
  assert.ok(cluster.events.some((event) => event.includes('must be delta, full or inventory')));
  assert.ok(cluster.events.some((event) => event.includes('The rule is not valid')));
  await stop();
});

test('an annotation asks for a bundle once and is taken away', async () => {
  const { cluster, started, site, settle, stop } = scene();
  await site('plant', {}, { [asked]: 'full' });
  await settle();
  assert.deepEqual(started, [{ site: 'plant', kind: 'full' }]);
  const found = await cluster.resource('edgesites').get({ name: 'plant' });
  assert.equal(found?.metadata.annotations?.[asked] ?? null, null);
  await stop();
});

test('after syncs: what waits for the site is staged once, and again when something more waits', async () => {
  const { cluster, started, clock, site, settle, stop } = scene();
  await site('plant', { bundle: { afterSync: true } });
  await site('other', {});
  const repositories = cluster.resource('repositories');
  const pending = async (name: string, digest: string, state: 'Pending' | 'Staged' = 'Pending') => {
    const key = { namespace: 'default', name };
    if ((await repositories.get(key)) === undefined) {
      const spec = { repository: name, tag: 'v1', registryRef: { name: 'hub' } };
      await repositories.create({ apiVersion, kind: 'Repository', metadata: key, spec });
    }
    const sites = ['plant', 'other'].map((each) => ({ site: each, state }));
    await repositories.applyStatus(key, '', { digest, sites });
  };
  clock.busy = true;
  await pending('app', 'sha256:1');
  await settle();
  assert.ok(started.length >= 2, 'a staging that ran already may have begun too early: it is asked again');
  clock.busy = false;
  await settle();
  started.length = 0;
  await settle();
  assert.equal(started.length, 0, 'what was asked for is not asked for again');
  await pending('db', 'sha256:2');
  await settle();
  assert.deepEqual(started, [{ site: 'plant', kind: 'delta', trigger: 'sync' }]);
  clock.now += 3_600_001;
  await settle();
  assert.equal(started.length, 2, 'an hour later it still waits: the staging may have failed');
  await pending('app', 'sha256:1', 'Staged');
  await pending('db', 'sha256:2', 'Staged');
  await settle();
  await pending('db', 'sha256:2');
  await settle();
  assert.equal(started.length, 3);
  await stop();
});

test('a site that the watch does not show yet is not taken for a deleted one', async () => {
  const behind = new MemoryCluster();
  const { schedules, site, settle, stop } = scene(() => behind);
  await site('plant', { bundle: { schedule: '0 3 * * 1' } });
  schedules.set('plant', '0 3 * * 1');
  await settle();
  assert.deepEqual([...schedules], [['plant', '0 3 * * 1']]);
  await stop();
});
