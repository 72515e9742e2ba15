import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import pino from 'pino';
import type { RollbackRequest } from '../../../domain/lifecycle/rollback.ts';
import { rollbackAnnotation, rollbackTagAnnotation } from '../../../domain/reconcile/lifecycle.ts';
import type { ImageCleanupPolicy } from '../../../domain/resources/image-cleanup-policy.ts';
import type { ResourceClient } from '../../../infra/kubernetes/cluster.ts';
import type { LifecycleGateway } from '../../../infra/temporal/lifecycle-gateway.ts';
import type { LifecycleSchedules } from '../../../infra/temporal/lifecycle-schedules.ts';
import { startLifecycleReconcilers } from '../../../worker/reconcile/lifecycle.ts';
import { memoryDocuments } from '../../support/memory-documents.ts';
import { MemoryCluster } from '../../support/memory-cluster.ts';

const apiVersion = 'image.theriseunion.io/v1alpha1' as const;
const ref = { namespace: 'shop', name: 'app' };
const digest = (letter: string): string => `sha256:${letter.repeat(64)}`;

interface Twists {
  /** What happens when a rollback is started; false where one runs already. */
  readonly onStart?: (cluster: MemoryCluster) => Promise<boolean>;
  /** Policies that the watch does not show yet. */
  readonly hidden?: boolean;
}

/** The reconcilers over a cluster in memory; what they ask of Temporal is written down. */
function scene({ onStart = async () => true, hidden = false }: Twists = {}) {
  const cluster = new MemoryCluster();
  const asked: RollbackRequest[] = [];
  const calls: string[] = [];
  const gateway: Partial<LifecycleGateway> = {
    startRollback: async (_ref, request) => {
      asked.push(request);
      return { workflowId: 'rollback', runId: 'r', alreadyRunning: !(await onStart(cluster)) };
    },
    cancelCleanup: async () => calls.push('cancel') > 0,
  };
  const schedules: Partial<LifecycleSchedules> = {
    ensureChores: async () => {},
    ensureCleanup: async () => void calls.push('schedule'),
    deleteCleanup: async () => void calls.push('unschedule'),
    scheduledPolicies: async () => [ref],
  };
  const policies = { ...cluster.cache('imagecleanuppolicies'), get: () => undefined };
  const cache = (plural: 'imagecleanuppolicies') =>
    plural === 'imagecleanuppolicies' ? policies : cluster.cache(plural);
  const start = () =>
    startLifecycleReconcilers({
      clients: cluster,
      caches: hidden ? ({ cache } as unknown as MemoryCluster) : cluster,
      events: cluster.recorder,
      gateway: gateway as LifecycleGateway,
      schedules: schedules as LifecycleSchedules,
      documents: memoryDocuments(),
      log: pino({ level: 'silent' }),
    });
  return { cluster, asked, calls, start };
}

/** A Repository that went from `a` to `b` and asks for the version before. */
async function asking(cluster: MemoryCluster, annotations: Record<string, string>): Promise<void> {
  const versions = ['b', 'a'].map((letter) => ({ tag: 'v1', digest: digest(letter), seen: '' }));
  await cluster.resource('repositories').create({
    apiVersion,
    kind: 'Repository',
    metadata: { ...ref, annotations },
    spec: { repository: 'a/b', tag: 'v1', registryRef: { name: 'hub' } },
    status: { versions },
  });
}

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 500; tries += 1) {
    if (await isSo()) return;
    await sleep(10);
  }
  assert.fail('it did not come to be');
}

/** Reconciles while work is done, and stops whatever comes of it. */
async function whileRunning(start: () => () => Promise<void>, work: () => Promise<unknown>): Promise<void> {
  const stop = start();
  try {
    await work();
  } finally {
    await stop();
  }
}

const annotationsOf = async (cluster: MemoryCluster) =>
  (await cluster.resource('repositories').get(ref))?.metadata.annotations ?? {};

test('O17: a rollback to the previous version that is served once more after a crash goes to the same version', async () => {
  let crashes = 1;
  const { cluster, asked, start } = scene({
    onStart: async (at) => {
      if (crashes === 0) return true;
      crashes -= 1;
      // The rollback ends, and is written down, before whoever started it could take the wish away.
      const versions = ['a', 'b'].map((letter) => ({ tag: 'v1', digest: digest(letter), seen: '' }));
      await at.resource('repositories').applyStatus(ref, '', { versions });
      throw new Error('it died');
    },
  });
  await asking(cluster, { [rollbackAnnotation]: 'previous' });
  await whileRunning(start, () =>
    until(async () => (await annotationsOf(cluster))[rollbackAnnotation] === undefined),
  );
  assert.deepEqual(asked, [{ digest: digest('a') }, { digest: digest('a') }]);
});

test('a rollback that is asked for while another one runs is served when that has ended', async () => {
  let busy = 2;
  const { cluster, asked, start } = scene({ onStart: async () => (busy -= 1) < 0 });
  await asking(cluster, { [rollbackAnnotation]: digest('a'), [rollbackTagAnnotation]: 'v1' });
  await whileRunning(start, async () => {
    await until(() => asked.length === 1);
    assert.equal((await annotationsOf(cluster))[rollbackAnnotation], digest('a'));
    await until(async () => (await annotationsOf(cluster))[rollbackAnnotation] === undefined);
  });
  assert.equal(asked.length, 3);
});

test('a wish that comes while the one before is served stays, and is served', async () => {
  let first = true;
  const { cluster, asked, start } = scene({
    onStart: async (at) => {
      const client: ResourceClient<'repositories'> = at.resource('repositories');
      if (first)
        await client.patch(ref, { metadata: { annotations: { [rollbackAnnotation]: digest('c') } } });
      first = false;
      return true;
    },
  });
  await asking(cluster, { [rollbackAnnotation]: digest('a') });
  await whileRunning(start, () =>
    until(async () => (await annotationsOf(cluster))[rollbackAnnotation] === undefined),
  );
  assert.deepEqual(asked, [{ digest: digest('a') }, { digest: digest('c') }]);
});

for (const [isThere, expected] of [
  [true, ['schedule']],
  [false, ['unschedule', 'cancel']],
] as const)
  test(`a policy that the watch does not show is ${isThere ? 'not ' : ''}taken for a deleted one where it is ${isThere ? '' : 'not '}there`, async () => {
    const { cluster, calls, start } = scene({ hidden: true });
    const policy: ImageCleanupPolicy = {
      apiVersion,
      kind: 'ImageCleanupPolicy',
      metadata: ref,
      spec: { keepRecent: 1, schedule: '0 3 * * *' },
    };
    if (isThere) await cluster.resource('imagecleanuppolicies').create(policy);
    await whileRunning(start, () => until(() => calls.length > 0));
    assert.deepEqual([...new Set(calls)], expected);
  });

test('a policy whose schedule cannot be kept says so in its status until it is mended', async () => {
  const { cluster, start } = scene();
  const policies = cluster.resource('imagecleanuppolicies');
  const spec = { keepRecent: 1, schedule: '61 * * * *' };
  await policies.create({ apiVersion, kind: 'ImageCleanupPolicy', metadata: ref, spec });
  const stop = start();
  const condition = async () =>
    (await policies.get(ref))?.status?.conditions?.find(({ type }) => type === 'Scheduled');
  try {
    await until(async () => (await condition())?.status === 'False');
    const told = await condition();
    assert.equal(told?.reason, 'InvalidRule');
    assert.match(told?.message ?? '', /61 \* \* \* \*.*规则无效/);
    await policies.patch(ref, { spec: { schedule: '0 3 * * *' } });
    await until(async () => (await condition())?.status === 'True');
  } finally {
    await stop();
  }
});
