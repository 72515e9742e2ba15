import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Context } from '@temporalio/activity';
import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import type { CopyActivities } from '../../activities/index.ts';
import { Failure, type FailureCode } from '../../domain/failure.ts';
import { hubTaskQueue, syncWorkflowId } from '../../domain/sync/ids.ts';
import {
  progressQuery,
  type SyncInput,
  type SyncProgress,
  type SyncReport,
} from '../../domain/sync/input.ts';
import type { SyncPlan } from '../../domain/sync/plan.ts';
import { digest, planOf, report, root, scene, type Scene } from '../support/sync-scene.ts';
import { closeLab, workflowLab } from '../support/workflow-lab.ts';

type Sync = (input: SyncInput) => Promise<SyncReport>;

async function start(plan: SyncPlan, trigger: SyncInput['trigger'] = 'manual') {
  const { env } = await workflowLab();
  const { ref } = plan.claim;
  return env.client.workflow.start<Sync>('syncRepository', {
    workflowId: syncWorkflowId(ref),
    taskQueue: hubTaskQueue,
    args: [{ ref, trigger }],
  });
}

async function play(plan: SyncPlan, stage: Scene, trigger?: SyncInput['trigger']): Promise<unknown> {
  const lab = await workflowLab();
  return lab.run(stage.activities, async () => {
    const handle = await start(plan, trigger);
    return handle.result().catch((error: unknown) => error);
  });
}

const failing = (code: FailureCode, times: number, details = {}): (() => Promise<typeof report>) => {
  let left = times;
  return async () => {
    left -= 1;
    if (left >= 0) throw new Failure(code, details);
    return report;
  };
};

function codeOf(error: unknown): string {
  assert.ok(error instanceof WorkflowFailedError, String(error));
  if (error.cause instanceof CancelledFailure) return 'Cancelled';
  assert.ok(error.cause instanceof ApplicationFailure);
  return error.cause.type ?? '';
}

after(closeLab);

test('a first sync plans, says that it runs, compares, copies, describes and records', async () => {
  const plan = planOf('first');
  const stage = scene(plan);
  const result = await play(plan, stage, 'create');
  assert.deepEqual(stage.calls, [
    'planSync',
    'beginSync',
    'surveyImages',
    'copyImage',
    'describeImage',
    'recordSync',
  ]);
  assert.deepEqual(result, {
    result: 'Success',
    images: 1,
    changed: 1,
    digest,
    bytesMoved: 10,
    bytesReused: 5,
  });
});

test('a scheduled sync that finds nothing new looks once, copies nothing and never says Syncing', async () => {
  const plan = planOf('unchanged', { described: digest });
  const stage = scene(plan, {
    surveyImages: async () => ({
      images: [{ tag: 'v1', root, current: [{ site: 'edge', digest }], needed: [] }],
      total: 1,
    }),
  });
  await play(plan, stage, 'schedule');
  assert.deepEqual(stage.calls, ['planSync', 'surveyImages', 'recordSync']);
  assert.equal(stage.outcomes[0]?.result, 'Unchanged');
});

test('a Repository that is gone is left alone', async () => {
  const plan = planOf('gone');
  const stage = scene(plan, { planSync: async () => undefined });
  assert.deepEqual(await play(plan, stage), {
    result: 'Gone',
    images: 0,
    changed: 0,
    bytesMoved: 0,
    bytesReused: 0,
  });
});

for (const [code, retryCount, failures, tries] of [
  ['ConnectionRefused', 3, 2, 3],
  ['ConnectionRefused', 0, 1, 1],
  ['Timeout', 2, 9, 3],
  ['Unauthorized', 3, 9, 1],
  ['DestinationRefused', 3, 9, 1],
] as const) {
  test(`${code}, failing ${failures} times with retryCount ${retryCount}, is tried ${tries} times`, async () => {
    const plan = planOf(`retry-${code.toLowerCase()}-${retryCount}`, {
      retry: { retryCount, retryIntervalMs: 10_000 },
    });
    const numbers: (number | undefined)[] = [];
    const copy = failing(code, failures);
    const copyImage: CopyActivities['copyImage'] = (order) => {
      numbers.push(order.tries);
      return copy();
    };
    const stage = scene(plan, { copyImage });
    const result = await play(plan, stage);
    assert.deepEqual(
      numbers,
      Array.from({ length: tries }, (_, index) => index + 1),
    );
    if (failures < tries) assert.equal(stage.outcomes[0]?.result, 'Success');
    else assert.equal(codeOf(result), code);
  });
}

test('waits double from retryInterval, and a longer Retry-After is honoured', async () => {
  const plan = planOf('waits', { timeoutMs: 3_600_000 });
  const at: number[] = [];
  const { env } = await workflowLab();
  const stage = scene(plan, {
    copyImage: async () => {
      at.push(await env.currentTimeMs());
      if (at.length === 4) return report;
      throw new Failure('RateLimited', at.length === 3 ? { retryAfterMs: 300_000 } : {});
    },
  });
  await play(plan, stage);
  const waits = at.slice(1).map((time, index) => (time - (at[index] ?? 0)) / 1000);
  for (const [index, expected] of [10, 20, 300].entries()) {
    const wait = waits[index] ?? 0;
    assert.ok(wait >= expected - 0.1 && wait < expected * 1.1 + 3, `${wait} s for ${expected} s`);
  }
});

test('syncTimeout bounds the whole sync, waits included', async () => {
  const plan = planOf('timeout', { timeoutMs: 60_000, retry: { retryCount: 50, retryIntervalMs: 20_000 } });
  const stage = scene(plan, { surveyImages: failing('DNSFailure', 99) as never });
  assert.equal(codeOf(await play(plan, stage)), 'SyncTimeout');
  assert.equal(stage.outcomes[0]?.failure?.code, 'SyncTimeout');
  assert.ok(stage.calls.filter((call) => call === 'surveyImages').length <= 3);
});

test('N11: a cancelled sync stops its copy, records Cancelled and ends as cancelled', async () => {
  const plan = planOf('cancelled');
  let stopped = false;
  let begun: () => void = () => {};
  const copying = new Promise<void>((resolve) => (begun = resolve));
  const stage = scene(plan, {
    copyImage: async () => {
      begun();
      const context = Context.current();
      const beat = setInterval(() => context.heartbeat(), 100);
      try {
        return await context.cancelled;
      } finally {
        stopped = true;
        clearInterval(beat);
      }
    },
  });
  const lab = await workflowLab();
  await lab.run(stage.activities, async () => {
    const handle = await start(plan);
    await copying;
    assert.equal((await handle.query<SyncProgress>(progressQuery)).phase, 'copying');
    await handle.cancel();
    assert.equal(codeOf(await handle.result().catch((error: unknown) => error)), 'Cancelled');
  });
  assert.ok(stopped);
  assert.equal(stage.outcomes[0]?.result, 'Cancelled');
});

test('a site that fails does not keep the image from the others, and the sync says which failed', async () => {
  const plan = planOf('partly', {
    sites: [
      { site: 'north', queue: 'imageferry-copy' },
      { site: 'south', queue: 'imageferry-copy' },
    ],
  });
  const stage = scene(plan, {
    copyImageToSites: async ({ sites }) =>
      sites.map((site) =>
        site === 'north'
          ? { site, failure: { code: 'DestinationRefused', side: 'destination' } as const }
          : { site, report },
      ),
  });
  assert.equal(codeOf(await play(plan, stage)), 'DestinationRefused');
  const sites = stage.outcomes[0]?.tally.shown[0]?.sites ?? [];
  assert.deepEqual(
    sites.map(({ site, failure }) => [site, failure?.code]),
    [
      ['north', 'DestinationRefused'],
      ['south', undefined],
    ],
  );
  assert.match(stage.outcomes[0]?.failure?.detail ?? '', /site north/);
});

test('a plan with a problem fails with it and asks no registry', async () => {
  const plan = planOf('problem', { problem: { code: 'RegistrySecretNotFound', side: 'cluster' } });
  const stage = scene(plan);
  assert.equal(codeOf(await play(plan, stage)), 'RegistrySecretNotFound');
  assert.deepEqual(stage.calls, ['planSync', 'beginSync', 'recordSync']);
});

test('a sync whose spec was edited meanwhile runs once more', async () => {
  const plan = planOf('edited');
  let records = 0;
  const triggers: string[] = [];
  const stage = scene(plan, {
    recordSync: async (outcome) => {
      triggers.push(outcome.run.trigger);
      records += 1;
      return { changed: records === 1 };
    },
  });
  await play(plan, stage, 'create');
  assert.deepEqual(triggers, ['create', 'spec']);
});

test('N12: what an activity throws besides a Failure leaves no word in the history', async () => {
  const plan = planOf('secret');
  const stage = scene(plan, {
    surveyImages: async () => {
      throw new Failure('UnexpectedResponse', {
        detail: 'GET https://user:canary1@h/v2/?token=canary2 Authorization: Bearer canary3',
        cause: new Error('canary4'),
      });
    },
  });
  await play(plan, stage);
  const { env } = await workflowLab();
  const history = await env.client.workflow.getHandle(syncWorkflowId(plan.claim.ref)).fetchHistory();
  const text = payloadTexts(history.events).join('\n');
  assert.match(text, /UnexpectedResponse/);
  assert.doesNotMatch(text, /canary/);
});

function payloadTexts(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (value instanceof Uint8Array) return [Buffer.from(value).toString('utf8')];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(payloadTexts);
}

test('hundreds of tags go page by page, with the status naming failures first', async () => {
  const plan = planOf('many', { selects: true });
  const stage = scene(plan, {
    surveyImages: async ({ after }) => {
      const start = after === undefined ? 0 : Number(after) + 1;
      const images = Array.from({ length: 50 }, (_, index) => ({
        tag: String(start + index),
        root,
        current: [],
        needed: ['edge'],
      }));
      return { images, total: 200, ...(start + 50 < 200 ? { next: String(start + 49) } : {}) };
    },
    copyImage: async ({ tag }) => {
      if (tag === '150') throw new Failure('Forbidden', { side: 'source' });
      return report;
    },
  });
  assert.equal(codeOf(await play(plan, stage)), 'Forbidden');
  const tally = stage.outcomes[0]?.tally;
  assert.deepEqual(
    [tally?.images, tally?.failed, tally?.shown.length, tally?.shown[0]?.tag],
    [200, 1, 50, '150'],
  );
});
