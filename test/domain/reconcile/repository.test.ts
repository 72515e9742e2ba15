import assert from 'node:assert/strict';
import { test } from 'node:test';
import { repositoryWish } from '../../../domain/reconcile/repository.ts';
import type { EdgeSite } from '../../../domain/resources/edge-site.ts';
import type { Repository } from '../../../domain/resources/repository.ts';

type Parts = {
  readonly generation?: number;
  readonly observed?: number;
  readonly syncStatus?: 'Success' | 'Syncing';
  readonly annotations?: Readonly<Record<string, string>>;
  readonly spec?: Partial<Repository['spec']>;
};

const repository = ({
  generation = 1,
  observed,
  syncStatus = 'Success',
  annotations = {},
  spec = {},
}: Parts): Repository => ({
  apiVersion: 'image.theriseunion.io/v1alpha1',
  kind: 'Repository',
  metadata: { name: 'app', namespace: 'shop', generation, annotations },
  spec: { repository: 'a/b', tag: 'v1', registryRef: { name: 'hub' }, ...spec },
  ...(observed === undefined ? {} : { status: { observedGeneration: observed, syncStatus } }),
});

const starts: readonly (readonly [string, Parts, string | undefined])[] = [
  ['a Repository that was never synced is synced', {}, 'create'],
  ['one whose spec changed since its last sync is synced', { generation: 3, observed: 2 }, 'spec'],
  [
    'a spec that changes under a running sync starts nothing until that has ended',
    { generation: 3, observed: 2, syncStatus: 'Syncing' },
    undefined,
  ],
  [
    'a person who asks under a running sync is heard',
    { observed: 1, syncStatus: 'Syncing', annotations: { 'theriseunion.io/manual-sync': '7' } },
    'manual',
  ],
  ['one that was synced as it stands is left alone', { generation: 2, observed: 2 }, undefined],
  [
    'a new value of manual-sync starts a sync',
    { observed: 1, annotations: { 'theriseunion.io/manual-sync': '7' } },
    'manual',
  ],
  [
    'a new value of manual-sync-now starts one that does not wait for windows',
    {
      observed: 1,
      annotations: { 'theriseunion.io/manual-sync': '7', 'theriseunion.io/manual-sync-now': '8' },
    },
    'urgent',
  ],
  [
    'a value that was acted on starts none, also after a restart',
    {
      observed: 1,
      annotations: { 'theriseunion.io/manual-sync': '7', 'theriseunion.io/manual-sync-handled': '7' },
    },
    undefined,
  ],
  [
    'an empty manual-sync starts none',
    { observed: 1, annotations: { 'theriseunion.io/manual-sync': '' } },
    undefined,
  ],
];

for (const [sentence, parts, start] of starts) {
  test(sentence, () => assert.equal(repositoryWish(repository(parts), []).start, start));
}

const site = (name: string, registry: string, extra: object = {}): EdgeSite => ({
  apiVersion: 'image.theriseunion.io/v1alpha1',
  kind: 'EdgeSite',
  metadata: { name },
  spec: { registry: { domain: registry }, ...extra },
});
const at = (entry: object, syncStatus: 'Success' | 'Syncing' = 'Success'): Repository => ({
  ...repository({ spec: { sites: ['north'] } }),
  status: { observedGeneration: 1, syncStatus, sites: [{ site: 'north', state: 'Synced', ...entry }] },
});
const placed = { target: 'north.example/a/b' };

const moves: readonly (readonly [string, Repository, readonly EdgeSite[], string | undefined])[] = [
  ['sites as they were ask for nothing', at(placed), [site('north', 'north.example')], undefined],
  ['a site with another registry asks for a sync', at(placed), [site('north', 'new.example')], 'site'],
  [
    'a site with another path prefix asks for a sync',
    at(placed),
    [site('north', 'north.example', { registry: { domain: 'north.example', pathPrefix: '/m/' } })],
    'site',
  ],
  ['a site that is new asks for a sync', at({}), [site('north', 'north.example')], 'site'],
  ['a site that is gone asks for one sync', at(placed), [], 'site'],
  ['a site that is gone and known to be asks for none', at({}), [], undefined],
  [
    'a site that gets bundles from now on asks for a sync',
    at(placed),
    [site('north', 'north.example', { mode: 'offline' })],
    'site',
  ],
  [
    'bandwidth and priority ask for nothing',
    at(placed),
    [site('north', 'north.example', { bandwidth: 5000, priority: 7 })],
    undefined,
  ],
  ['a run under way is left to end first', at(placed, 'Syncing'), [site('north', 'new.example')], undefined],
  [
    'a new default site asks for a sync where there was none',
    { ...repository({}), status: { observedGeneration: 1, syncStatus: 'Success', sites: [] } },
    [site('north', 'north.example', { default: true })],
    'site',
  ],
];
for (const [sentence, object, sites, start] of moves) {
  test(sentence, () => assert.equal(repositoryWish(object, sites).start, start));
}

test('requests by people and by sites have names, so that asking twice is asking once', () => {
  const asked = repository({ annotations: { 'theriseunion.io/manual-sync': 'x' } });
  assert.equal(repositoryWish(asked, []).request, 'undefined x');
  const [here, there] = ['one.example', 'two.example'].map(
    (domain) => repositoryWish(at(placed), [site('north', domain)]).request,
  );
  assert.ok(here !== undefined && here !== there);
  assert.equal(repositoryWish(repository({}), []).request, undefined);
});

test('requests are remembered only where there are any', () => {
  assert.deepEqual(repositoryWish(repository({}), []).handled, {});
  const asked = repository({
    annotations: { 'theriseunion.io/manual-sync': 'x', 'theriseunion.io/cancel-sync': 'y' },
  });
  assert.deepEqual(repositoryWish(asked, []).handled, {
    'theriseunion.io/manual-sync-handled': 'x',
    'theriseunion.io/cancel-sync-handled': 'y',
  });
  assert.equal(repositoryWish(asked, []).cancel, true);
});

test('the schedule follows syncInterval and suspend, and is an hour where nothing is said', () => {
  assert.deepEqual(repositoryWish(repository({}), []).schedule, { everyMs: 3_600_000, paused: false });
  const own = repository({ spec: { syncInterval: '5m', suspend: true } });
  assert.deepEqual(repositoryWish(own, []).schedule, { everyMs: 300_000, paused: true });
});
