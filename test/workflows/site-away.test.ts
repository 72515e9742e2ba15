import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Context } from '@temporalio/activity';
import { Worker } from '@temporalio/worker';
import { failureInterceptor } from '../../activities/failure-interceptor.ts';
import type { CopyActivities } from '../../activities/index.ts';
import { Failure } from '../../domain/failure.ts';
import { copyTaskQueue, siteTaskQueue } from '../../domain/sync/ids.ts';
import { progressQuery, type SyncProgress } from '../../domain/sync/input.ts';
import type { SyncPlan } from '../../domain/sync/plan.ts';
import { playSync } from '../support/play-sync.ts';
import { planOf, report, root, scene } from '../support/sync-scene.ts';
import { closeLab, workflowLab } from '../support/workflow-lab.ts';

after(closeLab);

/** A site's own worker while `work` goes on. */
async function atSite<T>(
  site: string,
  activities: Partial<CopyActivities>,
  work: () => Promise<T>,
): Promise<T> {
  const { env } = await workflowLab();
  const worker = await Worker.create({
    connection: env.nativeConnection,
    taskQueue: siteTaskQueue(site),
    activities,
    interceptors: { activity: [failureInterceptor(() => undefined)] },
    maxHeartbeatThrottleInterval: '500ms',
  });
  return worker.runUntil(work);
}

/** Fails once, so that the workflow sleeps for so long before it tries again. */
function failingOnce<T>(answer: () => T): () => Promise<T> {
  let failed = false;
  return async () => {
    if (failed) return answer();
    failed = true;
    throw new Failure('Timeout', { side: 'source' });
  };
}

const farPlan = (name: string, change: Partial<SyncPlan> = {}): SyncPlan =>
  planOf(name, { sites: [{ site: name, queue: siteTaskQueue(name) }], timeoutMs: 60_000, ...change });

test('a site whose worker is not there when the time is up is waited for, and the sync did not fail', async () => {
  // The copy is asked for 50 seconds after the start: nobody would be given up there before 80, and the time is 60.
  const plan = farPlan('late', { retry: { retryCount: 1, retryIntervalMs: 50_000 } });
  const images = [{ tag: 'v1', root, current: [], needed: ['late'] }];
  const stage = scene(plan, { surveyImages: failingOnce(() => ({ images, total: 1 })) });
  await playSync('away', plan, stage);
  const [outcome] = stage.outcomes;
  assert.equal(outcome?.failure, undefined);
  assert.equal(outcome?.result, 'Waiting');
  assert.deepEqual(outcome.tally.waits, [{ site: 'late', for: 'worker' }]);
  assert.ok(
    Date.parse(outcome.ended) - Date.parse(outcome.run.started) < 70_000,
    'it was not waited for longer',
  );
});

test('what was waited for a site that is away is given back to the other sites', async () => {
  const sites = [
    { site: 'gone', queue: siteTaskQueue('gone') },
    { site: 'here', queue: copyTaskQueue },
  ];
  const plan = planOf('given-back', {
    sites,
    timeoutMs: 16_000,
    retry: { retryCount: 1, retryIntervalMs: 18_000 },
  });
  const page = (tag: string) => ({ tag, root, current: [], needed: ['gone', 'here'] });
  // Nobody is given up after 8 seconds; the second page is there after 18 to 20, of 16 + 8.
  const second = failingOnce(() => ({ images: [page('v2')], total: 2 }));
  const stage = scene(plan, {
    surveyImages: ({ after: last }) =>
      last === undefined ? Promise.resolve({ images: [page('v1')], total: 2, next: 'v1' }) : second(),
  });
  await playSync('away', plan, stage);
  const [outcome] = stage.outcomes;
  assert.equal(outcome?.failure, undefined);
  assert.equal(outcome?.result, 'Waiting');
  assert.deepEqual(
    outcome.tally.shown.map(({ tag, sites: results }) => [tag, results[0]?.waits?.for, results[1]?.digest]),
    [
      ['v1', 'worker', report.root],
      ['v2', 'worker', report.root],
    ],
  );
});

test('a copy that the site is at when the time is up is cut off: that is a time-out', async () => {
  const plan = farPlan('slow', { timeoutMs: 3000 });
  let ended = '';
  const copyImage = async (): Promise<typeof report> => {
    const context = Context.current();
    const beat = setInterval(() => context.heartbeat(), 100);
    try {
      return await context.cancelled;
    } finally {
      clearInterval(beat);
      ended = 'stopped';
    }
  };
  const stage = scene(plan);
  await atSite('slow', { copyImage }, () => playSync('away', plan, stage));
  assert.equal(stage.outcomes[0]?.failure?.code, 'SyncTimeout');
  assert.equal(ended, 'stopped');
});

test('a sync that a person cancels while a site is away was cancelled, and waits for nothing', async () => {
  const plan = farPlan('given-up');
  const stage = scene(plan);
  await playSync('away', plan, stage, async (handle) => {
    let phase: SyncProgress['phase'] = 'planning';
    // Nobody takes the copy; where the machine is so slow that it was given up by now, the test says so.
    while (phase !== 'copying' && phase !== 'recording')
      phase = (await handle.query<SyncProgress>(progressQuery)).phase;
    await handle.cancel();
  });
  assert.equal(stage.outcomes[0]?.result, 'Cancelled');
  assert.equal(stage.calls.includes('waitAtSites'), false);
});
