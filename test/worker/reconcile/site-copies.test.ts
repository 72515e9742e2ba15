import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import pino from 'pino';
import { Failure } from '../../../domain/failure.ts';
import { parseSiteName } from '../../../domain/names/kubernetes-name.ts';
import type { SiteBeat, SiteTerms } from '../../../domain/sync/site-terms.ts';
import { followSiteCopies } from '../../../worker/reconcile/site-copies.ts';
import { MemoryCluster } from '../../support/memory-cluster.ts';

const apiVersion = 'image.theriseunion.io/v1alpha1';
const ref = { namespace: 'default', name: 'app' };

/** A site with a worker of its own and a Repository that is being brought there, and what the copy there says. */
async function scene() {
  const cluster = new MemoryCluster();
  const clock = { now: 0 };
  const told: SiteTerms[] = [];
  const looked: string[] = [];
  const hub: { beats: readonly SiteBeat[]; failure?: Failure } = { beats: [] };
  await cluster.resource('edgesites').create({
    apiVersion,
    kind: 'EdgeSite',
    metadata: { name: parseSiteName('plant'), generation: 1 },
    spec: { worker: true, bandwidth: 1000, registry: { domain: 'edge.example' } },
  });
  const { uid = '' } = (
    await cluster.resource('repositories').create({
      apiVersion,
      kind: 'Repository',
      metadata: ref,
      spec: { repository: 'a/b', tag: '1', registryRef: { name: 'hub' }, sites: ['plant'] },
      status: { syncStatus: 'Syncing', syncProgress: '0%' },
    })
  ).metadata;
  const terms: SiteTerms = { site: 'plant', since: '2026-01-01T00:00:00Z', generation: 1, bandwidth: 1000 };
  const beat = (change: Partial<SiteBeat> = {}): SiteBeat => ({
    site: 'plant',
    uid,
    position: { before: 0, of: 1 },
    doneBytes: 0,
    totalBytes: 100,
    terms,
    ...change,
  });
  const stop = followSiteCopies({
    clients: cluster,
    caches: cluster,
    copies: {
      look: async (which) => {
        looked.push(which.name);
        if (hub.failure !== undefined) throw hub.failure;
        return { runId: 'r', beats: hub.beats };
      },
      tell: async (_ref, said) => void told.push(said),
    },
    log: pino({ level: 'silent' }),
    everyMs: 5,
    now: () => clock.now,
  });
  const edit = (generation: number, spec: object) =>
    cluster.resource('edgesites').patch({ name: 'plant' }, { metadata: { generation }, spec });
  const progress = () => cluster.cache('repositories').get(ref)?.status?.syncProgress;
  return { cluster, clock, told, looked, hub, beat, edit, progress, stop, terms, settle: () => sleep(60) };
}

test('how far a copy at a site is shows in the status, and never goes back', async () => {
  const { hub, beat, progress, stop, settle } = await scene();
  hub.beats = [beat({ doneBytes: 40 }), beat({ doneBytes: 10 })];
  await settle();
  assert.equal(progress(), '40%');
  hub.beats = [
    beat({ doneBytes: 20 }),
    beat({ doneBytes: 90, uid: 'that of an object of the same name, deleted' }),
  ];
  await settle();
  assert.equal(progress(), '40%');
  stop();
});

test('a copy that goes by an edited site is told once, and again only where it does not hear', async () => {
  const { hub, beat, told, edit, clock, stop, settle, terms } = await scene();
  hub.beats = [beat()];
  await settle();
  assert.equal(told.length, 0, 'no news');
  await edit(2, { location: 'hall 7' });
  await settle();
  assert.equal(told.length, 0, 'an edit that concerns no copy');
  await edit(3, { bandwidth: 9000 });
  await settle();
  const news = { ...terms, generation: 3, bandwidth: 9000 };
  assert.deepEqual(told, [news]);
  for (const [at, times] of [
    [29_000, 1],
    [30_000, 2],
    [89_000, 2],
    [90_000, 3],
  ] as const) {
    clock.now = at;
    await settle();
    assert.equal(told.length, times, `${at} ms later`);
  }
  hub.beats = [beat({ terms: news })];
  clock.now = 900_000;
  await settle();
  assert.equal(told.length, 3, 'it has heard');
  await edit(4, { bandwidth: null });
  await settle();
  assert.equal(told.at(-1)?.generation, 4, 'a further edit is told at once');
  stop();
});

test('a look that fails in between is no reason to tell a copy once more', async () => {
  const { hub, beat, told, edit, stop, settle } = await scene();
  hub.beats = [beat()];
  await edit(2, { bandwidth: 9000 });
  await settle();
  hub.failure = new Failure('EngineUnavailable');
  await settle();
  delete hub.failure;
  await settle();
  assert.equal(told.length, 1);
  stop();
});

test('one of several copies that has not heard is enough', async () => {
  const { hub, beat, told, edit, terms, stop, settle } = await scene();
  await edit(2, { bandwidth: 9000 });
  hub.beats = [beat({ terms: { ...terms, generation: 2, bandwidth: 9000 } }), beat()];
  await settle();
  assert.deepEqual(
    told.map(({ generation }) => generation),
    [2],
  );
  stop();
});

test('only syncs that bring something to a site with a worker are looked at, and one that cannot be is looked at again', async () => {
  const { cluster, hub, beat, looked, progress, stop, settle } = await scene();
  hub.failure = new Failure('EngineUnavailable');
  await settle();
  delete hub.failure;
  hub.beats = [beat({ doneBytes: 7 })];
  await settle();
  assert.equal(progress(), '7%');
  await cluster.resource('repositories').patch(ref, { status: { syncStatus: 'Success' } });
  await settle();
  looked.length = 0;
  await settle();
  assert.deepEqual(looked, []);
  await cluster.resource('repositories').patch(ref, { status: { syncStatus: 'Syncing' } });
  await cluster.resource('edgesites').patch({ name: 'plant' }, { spec: { worker: false } });
  await settle();
  looked.length = 0;
  await settle();
  assert.deepEqual(looked, []);
  stop();
});
