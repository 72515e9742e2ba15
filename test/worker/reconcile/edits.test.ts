import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ref, scene, synced } from '../../support/reconcile-scene.ts';

test('a sync that runs is told of an edit once, however often it writes its progress', async () => {
  const { cluster, temporal, reconciler } = await scene();
  await reconciler.reconcile(ref);
  const repositories = cluster.resource('repositories');
  const write = async (generation: number, tag: string, syncProgress: string): Promise<void> => {
    await repositories.patch(ref, { metadata: { generation }, spec: { tag } });
    await repositories.applyStatus(ref, '', { ...synced, syncStatus: 'Syncing', syncProgress });
    await reconciler.reconcile(ref);
  };
  const told = (): readonly string[] => temporal.calls.filter((call) => call.startsWith('tell'));
  await write(1, 'v1', '1%');
  assert.deepEqual(told(), [], 'it knows what it began with');
  for (const progress of ['2%', '3%', '4%']) await write(2, 'v2', progress);
  assert.deepEqual(told(), ['tell']);
  await write(3, 'v2', '5%');
  assert.deepEqual(told(), ['tell'], 'an edit of an interval or a description');
  await write(4, 'v1', '6%');
  assert.deepEqual(told(), ['tell', 'tell'], 'also of one that takes the last one back');
});

test('a run that nobody could tell of an edit, as it has ended, is no reason to keep quiet to the next', async () => {
  const { cluster, temporal, reconciler } = await scene();
  const repositories = cluster.resource('repositories');
  await repositories.patch(ref, { metadata: { generation: 2 } });
  await repositories.applyStatus(ref, '', { ...synced, syncStatus: 'Syncing' });
  await reconciler.reconcile(ref);
  const run = {
    workflowId: 'sync/shop/app',
    runId: '1',
    isOpen: true,
    trigger: 'spec',
    started: 'now',
  } as const;
  temporal.runs.set('shop/app', run);
  await reconciler.reconcile(ref);
  assert.deepEqual(temporal.calls.slice(1), ['tell nobody', 'tell']);
});
