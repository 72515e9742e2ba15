import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cleanupScene } from '../support/faults/cleanup-scene.ts';
import { FaultWorld, targetPath } from '../support/faults/world.ts';

test('a cleanup keeps what the selector of another namespace takes, although its status names none of it', async () => {
  const world = new FaultWorld();
  const scene = await cleanupScene(world, ['v1', 'v2', 'v3', 'dev1', 'dev2']);
  await scene.cluster.resource('repositories').create({
    apiVersion: 'image.theriseunion.io/v1alpha1',
    kind: 'Repository',
    metadata: { namespace: 'team-b', name: 'app' },
    spec: { repository: targetPath, tag: 'none', tagSelector: { glob: 'v*' }, registryRef: { name: 'hub' } },
  });
  const plan = await scene.plan({ keepRecent: 1, keepDays: 0 });
  const verdicts = Object.fromEntries(plan.items.map(({ tag, reason }) => [tag, reason]));
  for (const tag of ['v1', 'v2', 'v3']) assert.equal(verdicts[tag], 'Declared');
  assert.ok([verdicts['dev1'], verdicts['dev2']].includes('NotKept'), 'what nobody else takes still goes');
  await scene.close();
  await world.close();
});
