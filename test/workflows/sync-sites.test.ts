import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Failure } from '../../domain/failure.ts';
import { hubTaskQueue, syncWorkflowId } from '../../domain/sync/ids.ts';
import type { SyncPlan } from '../../domain/sync/plan.ts';
import { siteTermsSignal } from '../../domain/sync/site-terms.ts';
import { createToldTerms } from '../../infra/temporal/site-copies.ts';
import { playSync } from '../support/play-sync.ts';
import { digest, planOf, report, root, scene } from '../support/sync-scene.ts';
import { closeLab, workflowLab } from '../support/workflow-lab.ts';

after(closeLab);

test('sites that the hub copies to share one step, and only those that failed are tried again', async () => {
  const sites = ['north', 'south', 'west'].map((site) => ({ site, queue: 'imageferry-copy' }));
  const plan = planOf('together', { sites, retry: { retryCount: 2, retryIntervalMs: 10_000 } });
  const asked: (readonly string[])[] = [];
  const numbers: (number | undefined)[] = [];
  const stage = scene(plan, {
    copyImageToSites: async ({ sites: names, tries }) => {
      asked.push(names);
      numbers.push(tries);
      return names.map((site) => {
        if (site === 'south' && asked.length === 1) return { site, failure: { code: 'Timeout' } as const };
        if (site === 'west') return { site, failure: { code: 'ConnectionRefused' } as const };
        return { site, report };
      });
    },
  });
  await playSync('sites', plan, stage);
  assert.equal(stage.outcomes[0]?.failure?.code, 'ConnectionRefused');
  assert.deepEqual(asked, [['north', 'south', 'west'], ['south', 'west'], ['west']]);
  assert.deepEqual(numbers, [1, 2, 3]);
  assert.deepEqual(
    stage.outcomes[0]?.tally.shown[0]?.sites.map(({ site, failure }) => [site, failure?.code]),
    [
      ['north', undefined],
      ['south', undefined],
      ['west', 'ConnectionRefused'],
    ],
  );
  assert.equal(stage.calls.includes('copyImage'), false);
});

test('two sites get two images in one step each, and the record tells of both', async () => {
  const sites = ['north', 'south'].map((site) => ({ site, queue: 'imageferry-copy' }));
  const plan = planOf('two', { sites });
  const images = ['v1', 'v2'].map((tag) => ({ tag, root, current: [], needed: ['north', 'south'] }));
  const stage = scene(plan, { surveyImages: async () => ({ images, total: 2 }) });
  await playSync('sites', plan, stage);
  assert.equal(stage.calls.filter((name) => name === 'copyImageToSites').length, 2);
  assert.equal(stage.outcomes[0]?.failure, undefined);
  assert.deepEqual(
    stage.outcomes[0]?.tally.shown.map((image) => image.sites.map(({ site }) => site)),
    [
      ['north', 'south'],
      ['north', 'south'],
    ],
  );
});

test('an image that cannot be read is tried again for all sites, and a closed window is no failure', async () => {
  const sites = ['north', 'south'].map((site) => ({ site, queue: 'imageferry-copy' }));
  const plan = planOf('unreadable', { sites, retry: { retryCount: 1, retryIntervalMs: 1000 } });
  let calls = 0;
  const stage = scene(plan, {
    copyImageToSites: async ({ sites: names }) => {
      calls += 1;
      if (calls === 1) throw new Failure('NetworkError', { side: 'source' });
      return names.map((site) =>
        site === 'north'
          ? { site, pause: { pausedUntil: '2026-01-02T00:00:00Z', bytesMoved: 7 } }
          : { site, report },
      );
    },
  });
  await playSync('sites', plan, stage);
  assert.equal(calls, 2);
  // What was moved before the window closed, and the other site's image.
  assert.equal(stage.outcomes[0]?.tally.bytesMoved, 7 + report.bytesMoved);
  assert.deepEqual(stage.outcomes[0]?.tally.shown[0]?.sites, [
    { site: 'north', waits: { site: 'north', for: 'window', until: '2026-01-02T00:00:00Z' } },
    { site: 'south', digest, copied: {} },
  ]);
});

test('seventy sites share a read in groups, and no step carries the plan of another group', async () => {
  const names = Array.from({ length: 70 }, (_, index) => `s${index}`);
  const sites = names.map((site) => ({ site, queue: 'imageferry-copy' }));
  const plan = planOf('crowd', { sites, offlineSites: ['ship'] });
  const asked: SyncPlan[] = [];
  const stage = scene(plan, {
    copyImageToSites: async (order) => {
      asked.push(order.plan);
      return order.sites.toReversed().map((site) => ({ site, report }));
    },
  });
  await playSync('sites', plan, stage);
  const groups = asked.map((each) => each.sites.map(({ site }) => site));
  assert.deepEqual(
    groups.toSorted(([one = ''], [other = '']) => names.indexOf(one) - names.indexOf(other)),
    [names.slice(0, 32), names.slice(32, 64), names.slice(64)],
  );
  assert.ok(asked.every(({ offlineSites }) => offlineSites.length === 0));
  assert.deepEqual(
    stage.outcomes[0]?.tally.shown[0]?.sites.map(({ site }) => site),
    names,
  );
  assert.deepEqual(stage.outcomes[0]?.plan, plan, 'the record knows all');
});

test('of six hundred sites with workers of their own, five hundred are asked at once', async () => {
  const sites = Array.from({ length: 600 }, (_, index) => ({ site: `s${index}`, queue: hubTaskQueue }));
  const plan = planOf('many', { sites });
  const stage = scene(plan);
  await playSync('sites', plan, stage);
  assert.equal(stage.outcomes[0]?.failure, undefined);
  assert.equal(stage.calls.filter((name) => name === 'copyImage').length, 600);
  const { env } = await workflowLab();
  const { events } = await env.client.workflow.getHandle(syncWorkflowId(plan.claim.ref)).fetchHistory();
  let [open, most] = [0, 0];
  for (const event of events ?? []) {
    if (event.activityTaskScheduledEventAttributes != null) open += 1;
    if (event.activityTaskCompletedEventAttributes != null) open -= 1;
    most = Math.max(most, open);
  }
  assert.equal(most, 500);
});

test('a run keeps what it is told of edited sites where their workers read it, the newest of each', async () => {
  const sites = ['north', 'south'].map((site) => ({ site, queue: 'imageferry-copy' }));
  const plan = planOf('terms', { sites });
  const lab = await workflowLab();
  const { workflow } = lab.env.client;
  const run = { workflowId: syncWorkflowId(plan.claim.ref), runId: '' };
  const told = createToldTerms(lab.env.client);
  const terms = { site: 'north', since: '2026-03-01T00:00:00Z', generation: 2, bandwidth: 5000 };
  const seen: unknown[] = [];
  const stage = scene(plan, {
    copyImageToSites: async ({ sites: names }) => {
      const handle = workflow.getHandle(run.workflowId);
      seen.push((await told.newest(run, 'north')) ?? 'nothing');
      for (const generation of [2, 3]) {
        await handle.signal(siteTermsSignal, { ...terms, generation });
        seen.push(await heard(generation));
      }
      await handle.signal(siteTermsSignal, { ...terms, site: 'south', bandwidth: -1 });
      await handle.signal(siteTermsSignal, { ...terms, generation: 4 });
      await heard(4);
      seen.push((await told.newest(run, 'south')) ?? 'nothing that can be read');
      return names.map((site) => ({ site, report }));
    },
  });
  const heard = async (generation: number): Promise<unknown> => {
    for (let tries = 0; tries < 200; tries += 1) {
      const found = await told.newest(run, 'north');
      if (found?.generation === generation) return found;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return assert.fail('it was not heard');
  };
  await playSync('sites', plan, stage);
  assert.equal(stage.outcomes[0]?.failure, undefined);
  assert.deepEqual(seen, ['nothing', terms, { ...terms, generation: 3 }, 'nothing that can be read']);
});
