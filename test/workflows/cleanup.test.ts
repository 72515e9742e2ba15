import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Client } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { ParkingActivities, PlanningActivities } from '../../activities/cleanup.ts';
import type { CleanupReport } from '../../domain/lifecycle/cleanup-status.ts';
import type { PlanSummary } from '../../domain/lifecycle/cleanup-run.ts';
import { cleanupWorkflowId } from '../../domain/lifecycle/ids.ts';
import type { ParkingSummary } from '../../domain/lifecycle/parking.ts';
import { hubTaskQueue } from '../../domain/sync/ids.ts';
import { closeLab, testServer, workflowLab, type WorkflowLab } from '../support/workflow-lab.ts';

after(closeLab);
const options = { skip: testServer === undefined ? 'TEMPORAL_TEST_SERVER is not set' : false };
const hour = 3_600_000;

const plan = (change: Partial<PlanSummary> = {}): PlanSummary => ({
  hash: 'h1',
  looked: 9,
  kept: 7,
  deletions: 2,
  bytes: 50,
  holds: [],
  next: 'run',
  beyond: [],
  graceMs: hour / 20,
  ...change,
});
const parked = (change: Partial<ParkingSummary> = {}): ParkingSummary => ({
  parked: 2,
  deleted: 0,
  restored: 0,
  skipped: 0,
  freedBytes: 0,
  ...change,
});

interface Scene {
  readonly calls: string[];
  readonly phases: string[];
  readonly activities: PlanningActivities & ParkingActivities;
}

/** Activities that work; `change` makes single ones misbehave. */
function scene(summary: PlanSummary, change: Partial<PlanningActivities & ParkingActivities> = {}): Scene {
  const calls: string[] = [];
  const phases: string[] = [];
  const note =
    <A extends unknown[], R>(name: string, work: (...args: A) => R) =>
    (...args: A): R => {
      if (calls.at(-1) !== name) calls.push(name);
      return work(...args);
    };
  const good: PlanningActivities & ParkingActivities = {
    planCleanup: async () => summary,
    reportCleanup: async (_ref, { phase, failure }) => {
      const shown = failure === undefined ? phase : `${phase} ${failure.code}`;
      if (phases.at(-1) !== shown) phases.push(shown);
    },
    recordUsage: async () => {},
    measureStorage: async () => 0,
    parkPlan: async () => parked(),
    restoreParked: async () => parked({ parked: 0, restored: 2 }),
    restoreLeftovers: async () => {},
    pruneVanished: async () => 0,
    restoreUsed: async () => parked(),
    deleteParked: async () => parked({ parked: 0, deleted: 2, freedBytes: 50 }),
    collectGarbage: async () => [{ site: 'edge', outcome: 'unsupported' }],
  };
  const all = { ...good, ...change };
  const { reportCleanup, ...noted } = all;
  const activities = Object.fromEntries(
    Object.entries(noted).map(([name, work]) => [name, note(name, work as never)]),
  );
  return { calls, phases, activities: { ...activities, reportCleanup } as unknown as typeof all };
}

let runs = 0;
async function start(lab: WorkflowLab) {
  runs += 1;
  const ref = { namespace: 'default', name: `p${runs}` };
  return lab.env.client.workflow.start<(input: object) => Promise<CleanupReport>>('cleanup', {
    workflowId: cleanupWorkflowId(ref),
    taskQueue: hubTaskQueue,
    args: [{ ref, trigger: 'manual' }],
  });
}

async function untilPhase(phases: readonly string[], phase: string): Promise<void> {
  for (let tries = 0; tries < 400; tries += 1) {
    if (phases.at(-1)?.startsWith(phase) === true) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`no ${phase}: ${phases.join(', ')}`);
}

test('a plan that may run is parked, waits out its grace and is deleted', options, async () => {
  const lab = await workflowLab();
  const { calls, phases, activities } = scene(plan());
  const report = await lab.run(activities, async () => (await start(lab)).result());
  assert.deepEqual(calls, [
    'restoreLeftovers',
    'planCleanup',
    'parkPlan',
    'restoreUsed',
    'deleteParked',
    'collectGarbage',
  ]);
  assert.deepEqual(report.garbage, [{ site: 'edge', outcome: 'unsupported' }]);
  assert.deepEqual(phases, ['Planning', 'Grace', 'Deleting', 'Idle']);
  assert.equal(report.parking?.freedBytes, 50);
});

for (const [next, last] of [
  ['dry', 'Idle'],
  ['nothing', 'Idle'],
  ['held', 'Held'],
] as const) {
  test(`J11 a plan whose next step is '${next}' touches no tag`, options, async () => {
    const lab = await workflowLab();
    const { calls, phases, activities } = scene(plan({ next }));
    await lab.run(activities, async () => (await start(lab)).result());
    assert.deepEqual(calls, ['restoreLeftovers', 'planCleanup']);
    assert.deepEqual(phases, ['Planning', last]);
  });
}

test('J07 exactly the plan that waits can be approved, and only in time', options, async () => {
  const lab = await workflowLab();
  const { calls, phases, activities } = scene(plan({ next: 'approve', beyond: ['other'] }));
  await lab.run(activities, async () => {
    const handle = await start(lab);
    await untilPhase(phases, 'AwaitingApproval');
    const approve = (hash: string, by: string) =>
      handle.executeUpdate('approvePlan', { args: [{ hash, by }] });
    await assert.rejects(
      approve('h2', 'api'),
      (error: Error) => error.cause instanceof ApplicationFailure && error.cause.type === 'PlanChanged',
    );
    await assert.rejects(
      approve('h1', 'annotation'),
      (error: Error) => error.cause instanceof ApplicationFailure && error.cause.type === 'AccessDenied',
    );
    assert.ok(!calls.includes('parkPlan'));
    await approve('h1', 'api');
    await handle.result();
  });
  assert.ok(calls.includes('deleteParked'));
});

test('J07 a plan that nobody approves within a day ends without touching a tag', options, async () => {
  const lab = await workflowLab();
  const { calls, phases, activities } = scene(plan({ next: 'approve' }));
  await lab.run(activities, async () => (await start(lab)).result());
  assert.deepEqual(calls, ['restoreLeftovers', 'planCleanup']);
  assert.equal(phases.at(-1), 'Idle PlanChanged');
});

test('one call puts parked tags back, and nothing is left to delete', options, async () => {
  const lab = await workflowLab();
  const { calls, phases, activities } = scene(plan({ graceMs: 30 * 24 * hour }), {
    restoreUsed: async () => parked({ parked: 0, restored: 2 }),
    deleteParked: async () => parked({ parked: 0, restored: 2 }),
  });
  const report = await lab.run(activities, async () => {
    const handle = await start(lab);
    await untilPhase(phases, 'Grace');
    const summary = await handle.executeUpdate<ParkingSummary, [string[]]>('restoreTags', { args: [[]] });
    assert.equal(summary.restored, 2);
    return handle.result();
  });
  assert.ok(calls.includes('restoreParked'));
  assert.deepEqual([report.parking?.restored, report.parking?.deleted], [2, 0]);
});

test(
  'J12 a deletion that is held waits with everything still parked, and goes on later',
  options,
  async () => {
    const lab = await workflowLab();
    let tries = 0;
    const { phases, activities } = scene(plan(), {
      deleteParked: async () => {
        tries += 1;
        if (tries < 3)
          throw ApplicationFailure.create({
            type: 'UsageUnknown',
            nonRetryable: true,
            details: [{ code: 'UsageUnknown' }],
          });
        return parked({ parked: 0, deleted: 2 });
      },
    });
    await lab.run(activities, async () => (await start(lab)).result());
    assert.deepEqual(phases, [
      'Planning',
      'Grace',
      'Deleting',
      'Held UsageUnknown',
      'Deleting',
      'Held UsageUnknown',
      'Deleting',
      'Idle',
    ]);
  },
);

test('whatever goes wrong while parking, what was parked is put back', options, async () => {
  const lab = await workflowLab();
  const { calls, phases, activities } = scene(plan(), {
    parkPlan: async () => {
      throw ApplicationFailure.create({
        type: 'TagDeleteUnsupported',
        nonRetryable: true,
        details: [{ code: 'TagDeleteUnsupported' }],
      });
    },
  });
  const report = await lab.run(activities, async () => (await start(lab)).result());
  assert.deepEqual(calls, ['restoreLeftovers', 'planCleanup', 'parkPlan', 'restoreLeftovers']);
  assert.equal(phases.at(-1), 'Held TagDeleteUnsupported');
  assert.equal(report.failure?.code, 'TagDeleteUnsupported');
});

test(
  'J15 a cleanup that is cancelled, as by deleting its policy, puts back what it parked',
  options,
  async () => {
    const lab = await workflowLab();
    const { calls, phases, activities } = scene(plan({ graceMs: 3000 * 24 * hour }));
    await lab.run(activities, async () => {
      const handle = await start(lab);
      await untilPhase(phases, 'Grace');
      await handle.cancel();
      await assert.rejects(handle.result());
    });
    assert.equal(calls.at(-1), 'restoreLeftovers');
    assert.ok(!calls.includes('deleteParked'));
  },
);

test(
  'J15 what was parked is put back however long the registry is away, also where the policy is gone',
  options,
  async () => {
    const lab = await workflowLab();
    let looks = 0;
    const { calls, phases, activities } = scene(plan({ graceMs: 3000 * 24 * hour }), {
      restoreLeftovers: async () => {
        looks += 1;
        if (looks === 1 || looks > 3) return;
        throw ApplicationFailure.create({
          type: 'RegistryUnavailable',
          nonRetryable: true,
          details: [{ code: 'RegistryUnavailable', side: 'destination' }],
        });
      },
    });
    await lab.run(activities, async () => {
      const handle = await start(lab);
      await untilPhase(phases, 'Grace');
      await handle.cancel();
      await assert.rejects(handle.result());
    });
    assert.equal(looks, 4);
    assert.equal(calls.at(-1), 'restoreLeftovers');
    assert.deepEqual(phases.slice(-2), ['Held RegistryUnavailable', 'Idle Cancelled']);
  },
);

test('a schedule starts the cleanup under its own id, and leaves alone one that runs', options, async () => {
  const lab = await workflowLab();
  const { phases, activities } = scene(plan({ next: 'approve' }));
  const ref = { namespace: 'default', name: 'nightly' };
  await lab.run(activities, async () => {
    // A client that does not skip time: a day skipped here would end the wait for approval between two ticks.
    const { workflow } = new Client({ connection: lab.env.connection });
    const tick = (workflowId: string): Promise<unknown> =>
      workflow.execute('scheduledCleanup', { workflowId, taskQueue: hubTaskQueue, args: [ref] });
    assert.equal(await tick('tick-1'), undefined);
    await untilPhase(phases, 'AwaitingApproval');
    const running = workflow.getHandle(cleanupWorkflowId(ref));
    const { runId } = await running.describe();
    assert.equal(await tick('tick-2'), undefined);
    assert.equal((await running.describe()).runId, runId);
    await running.cancel();
    await assert.rejects(running.result());
  });
  assert.equal(phases.at(-1), 'Idle Cancelled');
});

test('a schedule starts a cleanup where no activity answers, and is not held up by it', options, async () => {
  const lab = await workflowLab();
  const ref = { namespace: 'default', name: 'alone' };
  const order = { workflowId: 'tick-alone', taskQueue: hubTaskQueue, args: [ref] };
  await lab.run({}, async () => lab.env.client.workflow.execute('scheduledCleanup', order));
  const { status } = await lab.env.client.workflow.getHandle(cleanupWorkflowId(ref)).describe();
  assert.equal(status.name, 'RUNNING');
});
