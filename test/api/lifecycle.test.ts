import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure } from '../../domain/failure.ts';
import { planDocument } from '../../domain/lifecycle/ids.ts';
import type { ApiDependencies } from '../../api/dependencies.ts';
import { inProcessApi, newRepository } from '../support/api-in-process.ts';

const digest = (letter: string): string => `sha256:${letter.repeat(64)}`;
const repositories = '/namespaces/default/repositories';
const policies = '/namespaces/default/image-cleanup-policies';

/** The lifecycle's doubles, with single parts replaced. */
function api(change: {
  readonly gateway?: Partial<ApiDependencies['lifecycle']['gateway']>;
  readonly documents?: Readonly<Record<string, object>>;
}) {
  const calls: unknown[][] = [];
  const note =
    <T>(name: string, answer: T) =>
    async (...args: unknown[]): Promise<T> => {
      calls.push([name, ...args]);
      return answer;
    };
  const run = { workflowId: 'w', runId: 'r', alreadyRunning: false };
  const parts = inProcessApi({
    lifecycle: {
      gateway: {
        startCleanup: note('startCleanup', run),
        approvePlan: note('approvePlan', undefined),
        restoreTags: note('restoreTags', { parked: 0, deleted: 0, restored: 2, skipped: 0, freedBytes: 0 }),
        cancelCleanup: note('cancelCleanup', true),
        startRollback: note('startRollback', run),
        awaitRollback: note('awaitRollback', true),
        ...change.gateway,
      },
      documents: {
        read: async (key) => {
          const document = change.documents?.[key];
          return document === undefined ? undefined : JSON.stringify(document);
        },
      },
      engine: {
        resolve: async () => undefined,
        describe: async () => ({ architecture: 'amd64', os: 'linux', size: '0B', layers: [] }),
      },
    },
  });
  return { ...parts, calls };
}

async function withHistory(parts: ReturnType<typeof api>): Promise<void> {
  await parts.call('POST', repositories, newRepository('nginx'));
  const versions = ['b', 'a'].map((letter) => ({
    tag: '1.27',
    digest: digest(letter),
    seen: '2026-01-01T00:00:00Z',
  }));
  await parts.cluster
    .resource('repositories')
    .applyStatus({ namespace: 'default', name: 'nginx' }, '', { versions });
}

async function withPolicy(parts: ReturnType<typeof api>, spec: object = {}): Promise<void> {
  await parts.cluster.resource('imagecleanuppolicies').create({
    apiVersion: 'image.theriseunion.io/v1alpha1',
    kind: 'ImageCleanupPolicy',
    metadata: { namespace: 'default', name: 'p' },
    spec,
  });
}

test('a rollback without a digest goes to the version before', async () => {
  const parts = api({});
  await withHistory(parts);
  const answer = await parts.call('POST', `${repositories}/nginx/rollback`);
  assert.equal(answer.status, 200);
  const body = (await answer.json()) as Record<string, unknown>;
  assert.deepEqual([body['from'], body['to'], body['done']], [digest('b'), digest('a'), true]);
  assert.deepEqual(parts.calls[0], [
    'startRollback',
    { namespace: 'default', name: 'nginx' },
    { tag: '1.27', digest: digest('a') },
  ]);
});

for (const [name, code, status] of [
  ['content that is gone', 'RollbackTargetMissing', 409],
  ['an engine that does not answer', 'EngineUnavailable', 503],
] as const) {
  test(`a rollback that fails by ${name} is answered ${status} with its code`, async () => {
    const parts = api({
      gateway: {
        awaitRollback: async () => {
          throw new Failure(code);
        },
      },
    });
    await withHistory(parts);
    const answer = await parts.call('POST', `${repositories}/nginx/rollback`, { digest: digest('c') });
    assert.equal(answer.status, status);
    assert.equal(((await answer.json()) as { details: { code: string } }).details.code, code);
  });
}

test('a release needs a pin, takes it away and syncs', async () => {
  const parts = api({});
  await withHistory(parts);
  assert.equal((await parts.call('POST', `${repositories}/nginx/release`)).status, 409);
  const key = { namespace: 'default', name: 'nginx' };
  await parts.cluster.resource('repositories').patch(key, { spec: { pinnedDigest: digest('a') } });
  assert.equal((await parts.call('POST', `${repositories}/nginx/release`)).status, 200);
  assert.equal((await parts.cluster.resource('repositories').get(key))?.spec.pinnedDigest, undefined);
});

test('a plan is read in pages, by action, with what became of each deletion', async () => {
  const place = { site: 'edge', image: 'a', path: 'a', ids: [], bytes: 1 };
  const going = { ...place, tag: '1', digest: digest('1'), action: 'delete', reason: 'NotKept' };
  const staying = { ...place, tag: '2', digest: digest('2'), action: 'keep', reason: 'InUse' };
  const plan = {
    policy: {},
    uid: '',
    generation: 1,
    created: '2026-01-01T00:00:00Z',
    holds: [],
    items: [going, staying],
  };
  const record = { hash: 'h', plan, holds: [], items: [{ deletion: going, state: 'parked' }] };
  const parts = api({ documents: { [planDocument({ namespace: 'default', name: 'p' })]: record } });
  await withPolicy(parts);
  const answer = await parts.call('GET', `${policies}/p/plan?action=delete`);
  assert.equal(answer.status, 200);
  const body = (await answer.json()) as {
    hash: string;
    items: Record<string, unknown>[];
    totalItems: number;
  };
  assert.deepEqual([body.hash, body.totalItems], ['h', 1]);
  assert.deepEqual(body.items[0], {
    site: 'edge',
    image: 'a',
    path: 'a',
    tag: '1',
    digest: digest('1'),
    action: 'delete',
    reason: 'NotKept',
    bytes: 1,
    state: 'parked',
  });
});

test('J07 approving a plan that reaches beyond its namespace asks for the right to delete there', async () => {
  const parts = api({});
  await withPolicy(parts, { namespaces: ['default', 'other'] });
  parts.access.allow = (_who, { namespace }) => namespace !== 'other';
  const refused = await parts.call('POST', `${policies}/p/approve`, { hash: 'h' });
  assert.equal(refused.status, 403);
  assert.deepEqual(parts.calls, []);
  const allowed = api({});
  await withPolicy(allowed, { namespaces: ['default', 'other'] });
  assert.equal((await allowed.call('POST', `${policies}/p/approve`, { hash: 'h' })).status, 200);
  assert.deepEqual(allowed.calls[0], [
    'approvePlan',
    { namespace: 'default', name: 'p' },
    { hash: 'h', by: 'api' },
  ]);
});

test('restoring names tags or takes all, and an absent policy is a 404', async () => {
  const parts = api({});
  assert.equal((await parts.call('POST', `${policies}/p/restore`)).status, 404);
  await withPolicy(parts);
  await parts.call('POST', `${policies}/p/restore`, { tags: ['a'] });
  await parts.call('POST', `${policies}/p/restore`);
  assert.deepEqual(
    parts.calls.map((call) => call[2]),
    [['a'], []],
  );
  assert.equal((await parts.call('POST', `${policies}/p/run`)).status, 200);
  assert.equal((await parts.call('GET', `${policies}/p/plan`)).status, 404);
});

test('policies are listed by namespace and name, of one namespace or of all', async () => {
  const parts = api({});
  await withPolicy(parts, { keepRecent: 3 });
  for (const ns of ['default', '_all_']) {
    const answer = await parts.call('GET', `/namespaces/${ns}/image-cleanup-policies`);
    const body = (await answer.json()) as { totalItems: number; items: { spec: object }[] };
    assert.deepEqual([body.totalItems, body.items[0]?.spec], [1, { keepRecent: 3 }]);
  }
  const none = await parts.call('GET', '/namespaces/elsewhere/image-cleanup-policies');
  assert.equal(((await none.json()) as { totalItems: number }).totalItems, 0);
});
