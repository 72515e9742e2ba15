import assert from 'node:assert/strict';
import { after, before, test, type TestContext } from 'node:test';
import { syncWorkflowId } from '../../domain/sync/ids.ts';
import { firstRunOf, historySize, type HistorySize } from '../support/history-size.ts';
import { liveLifecycle } from '../support/live-lifecycle.ts';
import { liveSync, until } from '../support/live-sync.ts';
import { seedTags } from '../support/many-tags.ts';
import { endpoints } from '../support/stack.ts';

/** `IMAGEFERRY_TAGS=10000` measures the whole; by itself the test is short. */
const count = Number(process.env['IMAGEFERRY_TAGS'] ?? 300);
const patienceMs = Math.max(120_000, count * 200);
/** Temporal suggests to continue as new at 4,096 events; what is under way then comes on top. */
const mostEvents = 5000;

const { upstream } = endpoints().registries;
const live = liveSync();
const cycle = liveLifecycle(live);
let secret = '';

before(async () => {
  secret = await live.secret(upstream);
});
after(() => live.close());

async function sync(name: string, number: number): Promise<{ seconds: string; size: HistorySize }> {
  const started = performance.now();
  const ref = { namespace: live.namespace, name };
  if (number > 1)
    await until('a run of our own', async () =>
      (await live.gateway.startSync(ref, 'manual')).alreadyRunning ? undefined : true,
    );
  const record = await until(
    `sync ${number}`,
    async () => {
      const { status } = await live.get(name);
      return (status?.history?.length ?? 0) >= number ? status?.history?.[0] : undefined;
    },
    patienceMs,
  );
  assert.ok(record.result !== 'Failed', JSON.stringify(record));
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const first = await firstRunOf(live.temporal, syncWorkflowId(ref), record.runId);
  return { seconds, size: await historySize(live.temporal, syncWorkflowId(ref), first) };
}

const tagsOf = async (name: string, path: string) => {
  const tags = await seedTags(upstream, path, count);
  await live.resources.resource('repositories').create({
    apiVersion: 'image.theriseunion.io/v1alpha1',
    kind: 'Repository',
    metadata: { name, namespace: live.namespace },
    spec: {
      registryRef: { name: secret },
      repository: path,
      tag: 'v1.0.0',
      syncTimeout: '3h',
      syncInterval: '24h',
      tagSelector: { semver: '>=1', cap: 10_000 },
    },
  });
  return tags;
};

test(`N06 N07 a selector over ${count} tags stays within Temporal's limits`, async (t) => {
  const name = live.unique('many-tags');
  const path = `test/${name}`;
  const tags = await tagsOf(name, path);
  const first = await sync(name, 1);
  t.diagnostic(`first sync: ${first.seconds} s, ${JSON.stringify(first.size)}`);
  assert.ok(first.size.payload <= 65_536, `largest payload ${first.size.payload}`);
  assert.ok(first.size.events <= mostEvents, `${first.size.events} events in one run`);
  assert.equal(first.size.activities['copyImage'], count);
  const { status } = await live.get(name);
  assert.ok((status?.tags ?? []).length <= 70, 'the status is bounded');
  assert.deepEqual([status?.digest, status?.manifest?.architecture], [tags.get('v1.0.0'), 'amd64']);
  for (const [tag, digest] of [...tags].filter((_, index) => index % Math.ceil(count / 40) === 0))
    assert.equal(await cycle.edgeDigest(path, tag), digest, tag);
  await staysUnchanged(t, name);
});

async function staysUnchanged(t: TestContext, name: string): Promise<void> {
  const again = await sync(name, 2);
  t.diagnostic(`unchanged sync: ${again.seconds} s, ${JSON.stringify(again.size)}`);
  const { size } = again;
  assert.deepEqual(size.activities, {
    planSync: 1,
    beginSync: 1,
    surveyImages: size.activities['surveyImages'],
    recordSync: 1,
  });
  assert.ok((size.activities['surveyImages'] ?? 0) <= 1 + Math.ceil(count / 450));
  assert.ok(size.events <= 200 && size.runs === 1 && size.payload <= 65_536, JSON.stringify(size));
}
