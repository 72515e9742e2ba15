import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { cleanupScheduleId } from '../../domain/lifecycle/ids.ts';
import { approveAnnotation, runAnnotation } from '../../domain/reconcile/lifecycle.ts';
import { demoRegistry } from '../../infra/local/demo/registry.ts';
import { liveLifecycle } from '../support/live-lifecycle.ts';
import { liveSync, until } from '../support/live-sync.ts';
import { madeImage } from '../support/made-image.ts';
import { endpoints } from '../support/stack.ts';

const { upstream, edge } = endpoints().registries;
// Policies cover a namespace: other tests' images must not be in it.
const live = liveSync(`cleanup-${randomBytes(3).toString('hex')}`);
const cycle = liveLifecycle(live);
const from = demoRegistry(upstream);
let secret = '';

before(async () => {
  await cycle.createNamespace();
  secret = await live.secret(upstream);
});
after(() => live.close());

/** A Repository that selects `1.0.0` to `1.<count-1>.0`, synced; other tests' images are excluded from policies. */
async function manyVersions(
  count: number,
): Promise<{ name: string; path: string; only: { name: string }[] }> {
  const path = `test/${live.unique('many')}`;
  for (let minor = 0; minor < count; minor += 1)
    await from.push(path, `1.${minor}.0`, madeImage([500 + minor]));
  const name = await live.repository(secret, {
    repository: path,
    tag: '1.0.0',
    tagSelector: { semver: '>=1' },
  });
  const { record } = await live.ended(name);
  assert.equal(record.result, 'Success', JSON.stringify(record));
  const others = (await live.resources.resource('repositories').list()).map(({ spec }) => spec.repository);
  const only = [...new Set(others)].filter((other) => other !== path).map((other) => ({ name: other }));
  return { name, path, only };
}

const shown = async (path: string, count: number): Promise<boolean[]> =>
  Promise.all(
    Array.from(
      { length: count },
      async (_, minor) => (await cycle.edgeDigest(path, `1.${minor}.0`)) !== undefined,
    ),
  );

test('plan, approve, grace and delete: exactly the plan goes, and what a Pod uses stays', async () => {
  const { name, path, only } = await manyVersions(5);
  const removePod = await cycle.pod(`${upstream.domain}/${path}:1.0.0`);
  const policy = await cycle.policy({
    keepRecent: 2,
    requireApproval: true,
    gracePeriod: '3s',
    exclude: only,
  });
  const route = `namespaces/${live.namespace}/image-cleanup-policies/${policy}`;
  assert.equal((await cycle.call('POST', `${route}/run`)).status, 200);
  const waiting = await cycle.phase(policy, 'AwaitingApproval');
  assert.equal(waiting.status?.deletions, 2, JSON.stringify(waiting.status));

  const plan = await cycle.call('GET', `${route}/plan?limit=100&search=${path}`);
  const verdicts = Object.fromEntries(
    (plan.body['items'] as { tag: string; action: string; reason: string }[]).map(
      ({ tag, action, reason }) => [tag, `${action} ${reason}`],
    ),
  );
  assert.deepEqual(verdicts, {
    '1.0.0': 'keep InUse',
    '1.1.0': 'delete NotKept',
    '1.2.0': 'delete NotKept',
    '1.3.0': 'keep KeepRecent',
    '1.4.0': 'keep KeepRecent',
  });
  const wrong = await cycle.call('POST', `${route}/approve`, { hash: '0'.repeat(64) });
  assert.deepEqual([wrong.status, (wrong.body['details'] as { code: string }).code], [409, 'PlanChanged']);
  assert.deepEqual(await shown(path, 5), [true, true, true, true, true]);

  assert.equal((await cycle.call('POST', `${route}/approve`, { hash: plan.body['hash'] })).status, 200);
  const done = await cycle.phase(policy, 'Idle', ({ status }) => status?.freedBytes !== undefined);
  assert.deepEqual(await shown(path, 5), [true, false, false, true, true]);
  assert.ok((done.status?.freedBytes ?? 0) > 1000, JSON.stringify(done.status));

  await live.syncs(name);
  assert.deepEqual(
    await shown(path, 5),
    [true, false, false, true, true],
    'no sync brings back what cleanup took',
  );
  await removePod();
});

test('parked tags come back by one call', async () => {
  const { path, only } = await manyVersions(4);
  const policy = await cycle.policy({ keepRecent: 1, gracePeriod: '10m', exclude: only });
  await cycle.policies.patch(cycle.key(policy), { metadata: { annotations: { [runAnnotation]: 'now' } } });
  const parked = await cycle.phase(policy, 'Grace');
  assert.ok(parked.status?.graceUntil !== undefined);
  assert.deepEqual(await shown(path, 4), [false, false, false, true]);
  const route = `namespaces/${live.namespace}/image-cleanup-policies/${policy}`;
  const one = await cycle.call('POST', `${route}/restore`, { tags: ['1.1.0'] });
  assert.deepEqual(
    [one.status, one.body['restored'], one.body['parked']],
    [200, 1, 2],
    JSON.stringify(one.body),
  );
  assert.deepEqual(await shown(path, 4), [false, true, false, true]);
  const all = await cycle.call('POST', `${route}/restore`);
  assert.deepEqual([all.body['restored'], all.body['parked']], [3, 0]);
  await cycle.phase(policy, 'Idle');
  assert.deepEqual(await shown(path, 4), [true, true, true, true]);
});

test('J12 a parked tag that a Pod came to need is put back instead of deleted', async () => {
  const { path, only } = await manyVersions(3);
  const policy = await cycle.policy({ keepRecent: 1, gracePeriod: '4s', exclude: only });
  await cycle.policies.patch(cycle.key(policy), { metadata: { annotations: { [runAnnotation]: 'now' } } });
  await cycle.phase(policy, 'Grace');
  const removePod = await cycle.pod(`${edge.domain}/${path}:1.0.0`);
  await cycle.phase(policy, 'Idle', ({ status }) => status?.freedBytes !== undefined);
  assert.deepEqual(await shown(path, 3), [true, false, true]);
  await removePod();
});

test('J15 deleting the policy during the grace deletes nothing: what was parked comes back', async () => {
  const { path, only } = await manyVersions(3);
  const policy = await cycle.policy({ keepRecent: 1, gracePeriod: '10m', exclude: only });
  await cycle.policies.patch(cycle.key(policy), { metadata: { annotations: { [runAnnotation]: 'now' } } });
  await cycle.phase(policy, 'Grace');
  await cycle.policies.delete(cycle.key(policy));
  await until('everything is back', async () => ((await shown(path, 3)).every(Boolean) ? true : undefined));
});

test('J07 a plan over ten items and a tenth of the image waits for approval by itself, also by annotation', async () => {
  const { path, only } = await manyVersions(13);
  const policy = await cycle.policy({ keepRecent: 1, gracePeriod: '1s', exclude: only });
  await cycle.policies.patch(cycle.key(policy), { metadata: { annotations: { [runAnnotation]: 'now' } } });
  const waiting = await cycle.phase(policy, 'AwaitingApproval');
  assert.equal(waiting.status?.conditions?.[0]?.reason, 'DeleteGuard');
  const hash = waiting.status?.planHash ?? '';
  await cycle.policies.patch(cycle.key(policy), { metadata: { annotations: { [approveAnnotation]: hash } } });
  await cycle.phase(policy, 'Idle', ({ status }) => status?.freedBytes !== undefined);
  assert.deepEqual((await shown(path, 13)).filter(Boolean).length, 1);
});

test('J11 a dry run plans and changes nothing; J01 a shared digest keeps its other tag', async () => {
  const path = `test/${live.unique('shared')}`;
  const image = madeImage([700]);
  for (const tag of ['1.0.0', 'stable']) await from.push(path, tag, image);
  await from.push(path, '2.0.0', madeImage([800]));
  const name = await live.repository(secret, { repository: path, tag: '2.0.0', tagSelector: { glob: '*' } });
  await live.ended(name);
  const others = (await live.resources.resource('repositories').list()).map(({ spec }) => spec.repository);
  const exclude = [
    ...[...new Set(others)].filter((other) => other !== path).map((other) => ({ name: other })),
    { tag: 'stable' },
  ];
  const dry = await cycle.policy({ keepRecent: 1, dryRun: true, exclude });
  await cycle.policies.patch(cycle.key(dry), { metadata: { annotations: { [runAnnotation]: 'now' } } });
  const planned = await cycle.phase(dry, 'Idle');
  assert.equal(planned.status?.deletions, 1);
  assert.ok((await cycle.edgeDigest(path, '1.0.0')) !== undefined);

  await cycle.policies.patch(cycle.key(dry), { spec: { dryRun: false, gracePeriod: '1s' } });
  await cycle.policies.patch(cycle.key(dry), { metadata: { annotations: { [runAnnotation]: 'now' } } });
  await cycle.phase(dry, 'Idle', ({ status }) => status?.freedBytes !== undefined);
  assert.equal(await cycle.edgeDigest(path, '1.0.0'), undefined);
  assert.equal(await cycle.edgeDigest(path, 'stable'), image.index.digest);
});

test('a cron schedule runs the policy, and goes with it', async () => {
  const { only } = await manyVersions(2);
  const policy = await cycle.policy({ keepRecent: 1, dryRun: true, exclude: only, schedule: '0 3 1 1 *' });
  const schedule = live.temporal.schedule.getHandle(cleanupScheduleId(cycle.key(policy)));
  const exists = (): Promise<boolean> =>
    schedule.describe().then(
      () => true,
      () => false,
    );
  await until('the schedule is there', async () => ((await exists()) ? true : undefined));
  // Its time is Temporal's affair: it is told that it has come.
  await schedule.trigger();
  const planned = await cycle.phase(policy, 'Idle', ({ status }) => status?.planHash !== undefined);
  assert.equal(planned.status?.deletions, 1);
  await cycle.policies.delete(cycle.key(policy));
  await until('the schedule is gone', async () => ((await exists()) ? undefined : true));
});
