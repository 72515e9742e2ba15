import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Worker } from '@temporalio/worker';
import type { CopyActivities, HubActivities, SiteActivities } from '../../activities/index.ts';
import { Failure } from '../../domain/failure.ts';
import { deskSignals, deskWorkflow, deskWorkflowId } from '../../domain/sync/desk.ts';
import { copyTaskQueue, hubTaskQueue, siteTaskQueue, syncWorkflowId } from '../../domain/sync/ids.ts';
import type { SyncPlan } from '../../domain/sync/plan.ts';
import { foundBy } from '../support/found-by.ts';
import { planOf, report, scene, type Scene } from '../support/sync-scene.ts';
import type { Meanwhile } from '../support/ended-meanwhile.ts';
import { closeLab, workflowLab } from '../support/workflow-lab.ts';

const hour = 3_600_000;
after(closeLab);

/** A stage whose desks are real. */
async function stageOf(plan: SyncPlan, change: Partial<HubActivities & CopyActivities>): Promise<Scene> {
  const { env } = await workflowLab();
  return scene(plan, {
    waitAtSites: async (ref, waits) => {
      for (const { site } of waits) {
        await env.client.workflow.signalWithStart(deskWorkflow, {
          workflowId: deskWorkflowId(site),
          taskQueue: hubTaskQueue,
          args: [{ site, waiting: [] }],
          signal: deskSignals.wait,
          signalArgs: [ref],
        });
      }
    },
    ...change,
  });
}

async function sync(plan: SyncPlan, trigger: string): Promise<unknown> {
  const { env } = await workflowLab();
  const { ref } = plan.claim;
  const options = { workflowId: syncWorkflowId(ref), taskQueue: hubTaskQueue, args: [{ ref, trigger }] };
  return env.client.workflow.execute('syncRepository', options).catch((error: unknown) => error);
}

async function deskEnds(site: string): Promise<void> {
  await (await workflowLab()).env.client.workflow.getHandle(deskWorkflowId(site)).result();
}

/** The end of the sync that runs or ran last. */
async function lastSync({ claim }: SyncPlan): Promise<unknown> {
  const { env } = await workflowLab();
  return env.client.workflow.getHandle(syncWorkflowId(claim.ref)).result();
}

const two = (name: string): SyncPlan =>
  planOf(name, {
    timeoutMs: 60_000,
    sites: [
      { site: `${name}-north`, queue: copyTaskQueue },
      { site: `${name}-south`, queue: copyTaskQueue },
    ],
  });

test('a site with a closed window gets its image when it opens; the others wait for nothing, and no time-out counts', async () => {
  const plan = two('night');
  const lab = await workflowLab();
  const opensAt = (await lab.env.currentTimeMs()) + 8 * hour;
  const isOpen = async (): Promise<boolean> => (await lab.env.currentTimeMs()) >= opensAt;
  const until = new Date(opensAt).toISOString();
  const stage = await stageOf(plan, {
    copyImage: async ({ site }) =>
      site === 'night-north' || (await isOpen()) ? report : { pausedUntil: until },
    siteOpening: async () => ((await isOpen()) ? { after: 'nothing' } : { after: 'window', at: opensAt }),
  });
  await lab.run(stage.activities, async () => {
    assert.deepEqual(Reflect.get(Object(await sync(plan, 'create')), 'result'), 'Waiting');
    await deskEnds('night-south');
    await lastSync(plan);
  });
  const [first, second] = stage.outcomes;
  assert.equal(stage.outcomes.length, 2);
  assert.equal(first?.result, 'Waiting');
  assert.equal(first.failure, undefined);
  assert.deepEqual(first.tally.waits, [{ site: 'night-south', for: 'window', until }]);
  assert.equal(first.tally.shown[0]?.sites[0]?.digest, report.root);
  assert.equal(second?.result, 'Success');
  assert.equal(second.run.trigger, 'resumed');
  const { ref } = plan.claim;
  assert.deepEqual(await foundBy(ref), {
    namespace: ref.namespace,
    repository: ref.name,
    trigger: 'resumed',
  });
  assert.ok(Date.parse(second.run.started) >= opensAt - 1000);
});

test('a person who asks for it at once is not held up by the window', async () => {
  const plan = two('urgent');
  const asked: unknown[] = [];
  const stage = await stageOf(plan, {
    copyImage: async ({ outsideWindow }) => {
      asked.push(outsideWindow);
      return report;
    },
  });
  await (await workflowLab()).run(stage.activities, () => sync(plan, 'urgent'));
  assert.deepEqual(asked, [true, true]);
});

test('an EdgeSite that is edited while somebody waits is looked at again at once', async () => {
  const plan = planOf('edited-window', { sites: [{ site: 'edited', queue: copyTaskQueue }] });
  const lab = await workflowLab();
  let open = false;
  const far = (await lab.env.currentTimeMs()) + 20 * hour;
  const stage = await stageOf(plan, {
    copyImage: async () => (open ? report : { pausedUntil: new Date(far).toISOString() }),
    siteOpening: async () => (open ? { after: 'nothing' } : { after: 'window', at: far }),
  });
  await lab.run(stage.activities, async () => {
    await sync(plan, 'create');
    open = true;
    await lab.env.client.workflow.getHandle(deskWorkflowId('edited')).signal(deskSignals.look);
    await deskEnds('edited');
    await lastSync(plan);
  });
  assert.deepEqual(
    stage.outcomes.map(({ result }) => result),
    ['Waiting', 'Success'],
  );
  assert.ok(Date.parse(stage.outcomes[1]?.ended ?? '') < far);
});

test('Repositories wait at the desk of a site until its own worker takes a step', async () => {
  const queue = siteTaskQueue('far');
  const plan = planOf('far-away');
  const lab = await workflowLab();
  const stage = await stageOf(plan, { siteOpening: async () => ({ after: 'worker', queue }) });
  const atSite: Pick<SiteActivities, 'greet'> = { greet: async () => {} };
  await lab.run(stage.activities, async () => {
    await stage.activities.waitAtSites(plan.claim.ref, [{ site: 'far', for: 'worker' }]);
    const worker = await Worker.create({
      connection: lab.env.nativeConnection,
      taskQueue: queue,
      activities: atSite,
    });
    assert.deepEqual(stage.outcomes, []);
    await worker.runUntil(async () => {
      await deskEnds('far');
      await lastSync(plan);
    });
  });
  assert.deepEqual(
    stage.outcomes.map(({ result, run }) => [result, run.trigger]),
    [['Success', 'resumed']],
  );
});

test('the desk of a site that is away for long goes on in a new run with whoever waits', async () => {
  const queue = siteTaskQueue('away');
  const plan = planOf('patient');
  const lab = await workflowLab();
  const stage = await stageOf(plan, { siteOpening: async () => ({ after: 'worker', queue }) });
  const wait = (name: string): Promise<void> =>
    stage.activities.waitAtSites({ ...plan.claim.ref, name }, [{ site: 'away', for: 'worker' }]);
  const desk = lab.env.client.workflow.getHandle(deskWorkflowId('away'));
  const asks = async (): Promise<void> => {
    await wait(plan.claim.ref.name);
    const { runId } = await desk.describe();
    for (let asked = 0; asked < 100; asked += 1) await wait(plan.claim.ref.name);
    // Nobody asks any more: Temporal lets no run go on in another one while a signal is on its way to it.
    for (let looks = 0; looks < 400 && (await desk.describe()).runId === runId; looks += 1) await sleep(50);
    assert.notEqual((await desk.describe()).runId, runId);
    const worker = await Worker.create({
      connection: lab.env.nativeConnection,
      taskQueue: queue,
      activities: { greet: async () => {} },
    });
    await worker.runUntil(async () => {
      await deskEnds('away');
      await lastSync(plan);
    });
  };
  await lab.run(stage.activities, asks, [
    fileURLToPath(import.meta.resolve('../support/short-histories.ts')),
  ]);
  assert.deepEqual(
    stage.outcomes.map(({ run }) => run.trigger),
    ['resumed'],
  );
});

test('a sync that runs when the desk calls, and ends before it hears, does not cost a Repository its place', async () => {
  const plan = planOf('raced');
  const lab = await workflowLab();
  const workflowId = syncWorkflowId(plan.claim.ref);
  const ended: string[] = [];
  const meanwhile: Meanwhile = {
    endMeanwhile: async (id) => {
      ended.push(id);
      await lab.env.client.workflow.getHandle(id).terminate('ended by itself');
    },
  };
  const stage = await stageOf(plan, {});
  // It holds the id until it is ended: nobody works on its queue.
  await lab.env.client.workflow.start('syncRepository', { workflowId, taskQueue: 'nobody', args: [] });
  const race = async (): Promise<void> => {
    await stage.activities.waitAtSites(plan.claim.ref, [{ site: 'raced', for: 'window' }]);
    await deskEnds('raced');
    await lastSync(plan);
  };
  const between = fileURLToPath(import.meta.resolve('../support/ended-meanwhile.ts'));
  await lab.run({ ...stage.activities, ...meanwhile }, race, [between]);
  assert.deepEqual(ended, [workflowId]);
  assert.deepEqual(
    stage.outcomes.map(({ run }) => run.trigger),
    ['resumed'],
  );
});

test('a failure at one site is told, and the other one is waited for all the same', async () => {
  const plan = two('mixed');
  const lab = await workflowLab();
  let open = false;
  const stage = await stageOf(plan, {
    copyImage: async ({ site }) => {
      if (site === 'mixed-north') throw new Failure('DestinationRefused', { side: 'destination' });
      return open ? report : { pausedUntil: '2030-01-01T00:00:00Z' };
    },
    siteOpening: async () => {
      open = true;
      return { after: 'nothing' };
    },
  });
  await lab.run(stage.activities, async () => {
    await sync(plan, 'create');
    await deskEnds('mixed-south');
    await lastSync(plan).catch(() => undefined);
  });
  assert.deepEqual(
    stage.outcomes.map(({ result, tally }) => [result, tally.waits?.length ?? 0]),
    [
      ['Failed', 1],
      ['Failed', 0],
    ],
  );
});
