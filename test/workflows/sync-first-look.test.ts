import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Context } from '@temporalio/activity';
import type { WorkflowHandle } from '@temporalio/client';
import type { HubActivities } from '../../activities/index.ts';
import { Failure } from '../../domain/failure.ts';
import { hubTaskQueue, syncWorkflowId } from '../../domain/sync/ids.ts';
import { syncAgainSignal, type SyncInput, type SyncReport } from '../../domain/sync/input.ts';
import type { SyncPlan } from '../../domain/sync/plan.ts';
import type { Survey } from '../../domain/sync/survey.ts';
import { digest, planOf, root, scene } from '../support/sync-scene.ts';
import { closeLab, workflowLab } from '../support/workflow-lab.ts';

type Sync = (input: SyncInput) => Promise<SyncReport>;
interface Options {
  /** Default: true. */
  readonly looksFirst?: boolean;
  /** What happens while the run goes on. Default: nothing. */
  readonly meanwhile?: (handle: WorkflowHandle<Sync>) => Promise<unknown>;
}

after(closeLab);

const upToDate: Survey = {
  images: [{ tag: 'v1', root, current: [{ site: 'edge', digest }], needed: [] }],
  total: 1,
};
const behind: Survey = { images: [{ tag: 'v1', root, current: [], needed: ['edge'] }], total: 1 };

/** Plays a scheduled sync. `events`: those of its first run. */
async function play(plan: SyncPlan, change: Partial<HubActivities>, options: Options = {}) {
  const { looksFirst = true, meanwhile } = options;
  const stage = scene(plan, change);
  const lab = await workflowLab();
  return lab.run(stage.activities, async () => {
    const { ref } = plan.claim;
    const handle = await lab.env.client.workflow.start<Sync>('syncRepository', {
      workflowId: syncWorkflowId(ref),
      taskQueue: hubTaskQueue,
      args: [{ ref, trigger: 'schedule', ...(looksFirst ? { looksFirst } : {}) }],
    });
    await meanwhile?.(handle);
    const result = await handle.result().catch((error: unknown) => error);
    const first = lab.env.client.workflow.getHandle(handle.workflowId, handle.firstExecutionRunId);
    return { ...stage, result, events: (await first.fetchHistory()).events?.length };
  });
}

test('an unchanged scheduled sync is one step, with half the events of three', async () => {
  const plan = planOf('quiet', { described: digest });
  const one = await play(plan, {
    lookOnSchedule: async () => ({ plan, survey: upToDate, recorded: { changed: false } }),
  });
  assert.deepEqual(one.calls, ['lookOnSchedule']);
  const nothing = { changed: 0, bytesMoved: 0, bytesReused: 0 };
  assert.deepEqual(one.result, { result: 'Unchanged', images: 1, digest, ...nothing });
  const three = await play(plan, { surveyImages: async () => upToDate }, { looksFirst: false });
  assert.deepEqual(three.result, one.result);
  assert.deepEqual([one.events, three.events], [14, 28]);
});

test('where there is something to copy the sync goes on with what was seen', async () => {
  const plan = planOf('behind');
  const { calls, outcomes } = await play(plan, { lookOnSchedule: async () => ({ plan, survey: behind }) });
  assert.deepEqual(calls, ['lookOnSchedule', 'beginSync', 'copyImage', 'describeImage', 'recordSync']);
  assert.equal(outcomes[0]?.result, 'Success');
});

test('what a registry refused at the first look is one of the tries of retryCount', async () => {
  const plan = planOf('refused', { retry: { retryCount: 1, retryIntervalMs: 1000 } });
  const { calls, outcomes } = await play(plan, {
    lookOnSchedule: async () => ({ plan, trouble: { code: 'RegistryUnavailable' } }),
    surveyImages: async () => {
      throw new Failure('RegistryUnavailable');
    },
  });
  assert.deepEqual(calls, ['lookOnSchedule', 'surveyImages', 'recordSync']);
  assert.equal(outcomes[0]?.failure?.code, 'RegistryUnavailable');
});

test('a sync that is cancelled at its first look says so', async () => {
  const plan = planOf('stopped');
  const begun = Promise.withResolvers<void>();
  const lookOnSchedule = async (): Promise<never> => {
    begun.resolve();
    const context = Context.current();
    const beat = setInterval(() => context.heartbeat(), 100);
    return context.cancelled.finally(() => clearInterval(beat));
  };
  const meanwhile: Options['meanwhile'] = async (handle) => {
    await begun.promise;
    await handle.cancel();
  };
  const { calls, outcomes } = await play(plan, { lookOnSchedule }, { meanwhile });
  assert.deepEqual(calls, ['lookOnSchedule', 'planSync', 'recordSync']);
  assert.equal(outcomes[0]?.result, 'Cancelled');
});

test('who asks for a sync while the only step of another is under way gets one more', async () => {
  const plan = planOf('asked', { described: digest });
  const [begun, asked] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const lookOnSchedule: HubActivities['lookOnSchedule'] = async () => {
    begun.resolve();
    await asked.promise;
    return { plan, survey: upToDate, recorded: { changed: false } };
  };
  const meanwhile: Options['meanwhile'] = async (handle) => {
    await begun.promise;
    await handle.signal(syncAgainSignal, 'manual');
    asked.resolve();
  };
  const change = { lookOnSchedule, surveyImages: async () => upToDate };
  const { calls, outcomes } = await play(plan, change, { meanwhile });
  assert.deepEqual(calls, ['lookOnSchedule', 'planSync', 'beginSync', 'surveyImages', 'recordSync']);
  assert.equal(outcomes[0]?.run.trigger, 'manual');
});
