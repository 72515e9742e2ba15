import assert from 'node:assert/strict';
import { test } from 'node:test';
import { repositoryWish } from '../../../domain/reconcile/repository.ts';
import type { Repository } from '../../../domain/resources/repository.ts';

type Parts = {
  readonly generation?: number;
  readonly observed?: number;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly spec?: Partial<Repository['spec']>;
};

const repository = ({ generation = 1, observed, annotations = {}, spec = {} }: Parts): Repository => ({
  apiVersion: 'image.theriseunion.io/v1alpha1',
  kind: 'Repository',
  metadata: { name: 'app', namespace: 'shop', generation, annotations },
  spec: { repository: 'a/b', tag: 'v1', registryRef: { name: 'hub' }, ...spec },
  ...(observed === undefined ? {} : { status: { observedGeneration: observed } }),
});

const starts: readonly (readonly [string, Parts, string | undefined])[] = [
  ['a Repository that was never synced is synced', {}, 'create'],
  ['one whose spec changed since its last sync is synced', { generation: 3, observed: 2 }, 'spec'],
  ['one that was synced as it stands is left alone', { generation: 2, observed: 2 }, undefined],
  [
    'a new value of manual-sync starts a sync',
    { observed: 1, annotations: { 'theriseunion.io/manual-sync': '7' } },
    'manual',
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
  test(sentence, () => assert.equal(repositoryWish(repository(parts)).start, start));
}

test('requests are remembered only where there are any', () => {
  assert.deepEqual(repositoryWish(repository({})).handled, {});
  const asked = repository({
    annotations: { 'theriseunion.io/manual-sync': 'x', 'theriseunion.io/cancel-sync': 'y' },
  });
  assert.deepEqual(repositoryWish(asked).handled, {
    'theriseunion.io/manual-sync-handled': 'x',
    'theriseunion.io/cancel-sync-handled': 'y',
  });
  assert.equal(repositoryWish(asked).cancel, true);
});

test('the schedule follows syncInterval and suspend, and is an hour where nothing is said', () => {
  assert.deepEqual(repositoryWish(repository({})).schedule, { everyMs: 3_600_000, paused: false });
  const own = repository({ spec: { syncInterval: '5m', suspend: true } });
  assert.deepEqual(repositoryWish(own).schedule, { everyMs: 300_000, paused: true });
});
