import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { ApplicationFailure } from '@temporalio/common';
import type { BundleActivities, BundleCopyActivities } from '../../activities/bundle.ts';
import { bundleWorkflowId, stageAgainSignal, type StageOrder } from '../../domain/bundle/stage-plan.ts';
import { hubTaskQueue } from '../../domain/sync/ids.ts';
import { digestOf } from '../support/signed-samples.ts';
import { closeLab, testServer, workflowLab } from '../support/workflow-lab.ts';

after(closeLab);
const options = { skip: testServer === undefined ? 'TEMPORAL_TEST_SERVER is not set' : false };

/** Steps that work, and what was asked of them. */
function scene(change: Partial<BundleActivities & BundleCopyActivities> = {}) {
  const calls: string[] = [];
  const activities: BundleActivities & BundleCopyActivities = {
    planBundle: async ({ site, kind }) => {
      calls.push(`plan ${kind}`);
      return { site, sequence: 4, images: 2 };
    },
    measureBundle: async () => void calls.push('measure'),
    stageImage: async ({ index }) => {
      calls.push('stage');
      return 10 + index;
    },
    reportStaging: async () => {},
    publishBundle: async () => {
      calls.push('publish');
      const bytes = { full: 9, carried: 7, saved: 2 };
      return { sequence: 4, digest: digestOf('a'), images: 2, bytes };
    },
    failBundle: async (_bundle, { code }) => void calls.push(`fail ${code}`),
    collectBundles: async () => assert.fail('not asked for'),
    takeSiteMail: async () => assert.fail('not asked for'),
    ...change,
  };
  return { calls, activities };
}

async function run(
  activities: object,
  order: StageOrder,
  again: readonly StageOrder[] = [],
): Promise<unknown> {
  const lab = await workflowLab();
  return lab.run(activities, async () => {
    const handle = await lab.env.client.workflow.start('stageBundle', {
      workflowId: `${bundleWorkflowId(order.site)}-${Math.random()}`,
      taskQueue: hubTaskQueue,
      args: [order],
    });
    for (const each of again) await handle.signal(stageAgainSignal, each);
    return handle.result();
  });
}

test('a staging plans, brings every image, and publishes', options, async () => {
  const { calls, activities } = scene();
  const report = await run(activities, { site: 'plant', kind: 'delta' });
  assert.deepEqual(report, { site: 'plant', sequence: 4, images: 2, bytesMoved: 21, bytesCarried: 7 });
  assert.deepEqual(calls, ['plan delta', 'stage', 'stage', 'publish']);
});

test(
  'K15 a site with a limit has its bundle measured first; one too large ends there, once',
  options,
  async () => {
    const { calls, activities } = scene({
      planBundle: async ({ site }) => ({ site, sequence: 4, images: 2, limited: true }),
      measureBundle: async () => {
        throw ApplicationFailure.nonRetryable('too large', 'QuotaExceeded', { code: 'QuotaExceeded' });
      },
    });
    await assert.rejects(run(activities, { site: 'plant', kind: 'delta' }));
    assert.deepEqual(calls, ['fail QuotaExceeded']);
  },
);

test('where nothing is new nothing is staged', options, async () => {
  const { calls, activities } = scene({
    planBundle: async ({ site }) => ({ site, sequence: 3, images: 0, upToDate: true }),
  });
  const report = await run(activities, { site: 'plant', kind: 'delta', trigger: 'schedule' });
  assert.deepEqual(report, { site: 'plant', sequence: 3, images: 0, bytesMoved: 0, bytesCarried: 0 });
  assert.deepEqual(calls, []);
});

test('a full bundle that a person asks for while a delta runs is staged after it', options, async () => {
  const gate = Promise.withResolvers<void>();
  const { calls, activities } = scene({
    stageImage: async () => {
      await gate.promise;
      return 0;
    },
  });
  const lab = await workflowLab();
  await lab.run(activities, async () => {
    const handle = await lab.env.client.workflow.start('stageBundle', {
      workflowId: bundleWorkflowId('plant'),
      taskQueue: hubTaskQueue,
      args: [{ site: 'plant', kind: 'delta' }],
    });
    while (calls.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    await handle.signal(stageAgainSignal, { site: 'plant', kind: 'delta' });
    await handle.signal(stageAgainSignal, { site: 'plant', kind: 'full' });
    gate.resolve();
    await handle.result();
  });
  assert.deepEqual(calls, ['plan delta', 'publish', 'plan full', 'publish']);
});

test('a schedule starts the same staging as a person', options, async () => {
  const { calls, activities } = scene();
  const lab = await workflowLab();
  await lab.run(activities, async () => {
    await lab.env.client.workflow.execute('scheduledStage', {
      workflowId: 'scheduled',
      taskQueue: hubTaskQueue,
      args: ['yard'],
    });
    await lab.env.client.workflow.getHandle(bundleWorkflowId('yard')).result();
  });
  assert.deepEqual(calls, ['plan delta', 'stage', 'stage', 'publish']);
});
