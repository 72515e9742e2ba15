import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { Failure, type FailureCode } from '../../domain/failure.ts';
import { hubTaskQueue, syncWorkflowId } from '../../domain/sync/ids.ts';
import type { SyncInput, SyncReport } from '../../domain/sync/input.ts';
import type { SyncPlan } from '../../domain/sync/plan.ts';
import { planOf, root, scene, type Scene } from '../support/sync-scene.ts';
import { closeLab, workflowLab } from '../support/workflow-lab.ts';

type Sync = (input: SyncInput) => Promise<SyncReport>;
const verification = { publicKey: 'k' };

async function play(plan: SyncPlan, { activities }: Scene): Promise<unknown> {
  const lab = await workflowLab();
  const { ref } = plan.claim;
  const options = { workflowId: syncWorkflowId(ref), taskQueue: hubTaskQueue };
  return lab.run(activities, async () =>
    lab.env.client.workflow
      .execute<Sync>('syncRepository', { ...options, args: [{ ref, trigger: 'manual' }] })
      .catch((error: unknown) => error),
  );
}

/** Fails so many times, then says that the signature is good. */
function failing(code: FailureCode, times: number): () => Promise<void> {
  let left = times;
  return async () => {
    left -= 1;
    if (left >= 0) throw new Failure(code);
  };
}

function codeOf(error: unknown): string {
  assert.ok(error instanceof WorkflowFailedError, String(error));
  assert.ok(error.cause instanceof ApplicationFailure);
  return error.cause.type ?? '';
}

after(closeLab);

test('a signature is proven after resolving and before copying, once for all sites', async () => {
  const sites = ['edge', 'shore'].map((site) => ({ site, queue: 'imageferry-copy' }));
  const plan = planOf('signed', { verification, sites });
  const asked: unknown[] = [];
  const stage = scene(plan, { verifySignature: async ({ root: seen }) => void asked.push(seen) });
  await play(plan, stage);
  assert.deepEqual(stage.calls.slice(1, 5), [
    'beginSync',
    'surveyImages',
    'verifySignature',
    'copyImageToSites',
  ]);
  assert.deepEqual(asked, [root]);
});

for (const code of ['SignatureRequired', 'SignatureInvalid', 'RootInvalid', 'SecretNotFound'] as const) {
  test(`${code}: nothing is copied, and it is tried once`, async () => {
    const plan = planOf(`unsigned-${code.toLowerCase()}`, { verification });
    const stage = scene(plan, { verifySignature: failing(code, 9) });
    assert.equal(codeOf(await play(plan, stage)), code);
    assert.ok(!stage.calls.includes('copyImage'));
    assert.equal(stage.calls.filter((call) => call === 'verifySignature').length, 1);
    assert.equal(stage.outcomes[0]?.tally.shown[0]?.refused?.code, code);
  });
}

test('an unsigned image of many stops none of the others, and fails where there is no site as well', async () => {
  const images = ['a', 'b'].map((tag) => ({ tag, root, current: [], needed: ['edge'] }));
  const plan = planOf('some-signed', { verification, selects: true });
  let first = true;
  const verifySignature = async () => {
    const refuses = first;
    first = false;
    if (refuses) throw new Failure('SignatureRequired');
  };
  const stage = scene(plan, { verifySignature, surveyImages: async () => ({ images, total: 2 }) });
  assert.equal(codeOf(await play(plan, stage)), 'SignatureRequired');
  assert.equal(stage.calls.filter((call) => call === 'copyImage').length, 1);

  const nowhere = planOf('unsigned-nowhere', { verification, sites: [] });
  const alone = scene(nowhere, { verifySignature: failing('SignatureRequired', 9) });
  assert.equal(codeOf(await play(nowhere, alone)), 'SignatureRequired');
});

test('a registry that is away while signatures are looked for is tried again', async () => {
  const plan = planOf('signature-away', { verification });
  const stage = scene(plan, { verifySignature: failing('ConnectionRefused', 2) });
  await play(plan, stage);
  assert.equal(stage.calls.filter((call) => call === 'verifySignature').length, 3);
  assert.equal(stage.outcomes[0]?.result, 'Success');
});
