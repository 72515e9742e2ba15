import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { demoRegistry } from '../../infra/local/demo/registry.ts';
import { liveLifecycle } from '../support/live-lifecycle.ts';
import { liveSync, until } from '../support/live-sync.ts';
import { madeImage } from '../support/made-image.ts';
import { endpoints } from '../support/stack.ts';

const { upstream } = endpoints().registries;
const live = liveSync();
const cycle = liveLifecycle(live);
const from = demoRegistry(upstream);
let secret = '';

before(async () => {
  secret = await live.secret(upstream);
});
after(() => live.close());

test('a selector brings its 120 tags, and nothing else; an unchanged sync moves nothing', async () => {
  const path = `test/${live.unique('select')}`;
  const image = madeImage([400]);
  const wanted = Array.from({ length: 120 }, (_, minor) => `v1.${minor}.0`);
  for (const tag of [...wanted, 'v2.0.0', 'latest', 'v1.0.0-rc.1']) await from.push(path, tag, image);
  const name = await live.repository(secret, {
    repository: path,
    tag: 'v1.0.0',
    syncTimeout: '5m',
    tagSelector: { semver: '^1.0.0' },
  });
  const { object, record } = await live.ended(name);
  assert.equal(record.result, 'Success', JSON.stringify(record));
  assert.ok((object.status?.tags ?? []).length >= 50, 'the status shows a bounded part of them');
  for (const tag of wanted) assert.equal(await cycle.edgeDigest(path, tag), image.index.digest, tag);
  for (const tag of ['v2.0.0', 'latest', 'v1.0.0-rc.1'])
    assert.equal(await cycle.edgeDigest(path, tag), undefined);

  await live.gateway.startSync({ namespace: live.namespace, name }, 'manual');
  const again = await live.ended(name, 2);
  assert.deepEqual([again.record.result, again.record.bytesMoved], ['Unchanged', 0]);
});

test('a tag that vanished upstream stays at the site, unless prune is set; what a Pod uses stays anyhow', async () => {
  const path = `test/${live.unique('prune')}`;
  for (const tag of ['v1', 'v2', 'v3']) await from.push(path, tag, madeImage([300]));
  const name = await live.repository(secret, { repository: path, tag: 'v1', tagSelector: { glob: 'v*' } });
  await live.ended(name);
  const removePod = await cycle.pod(`${upstream.domain}/${path}:v3`);
  for (const tag of ['v2', 'v3']) assert.equal(await cycle.untagUpstream(path, tag), 202);
  const ref = { namespace: live.namespace, name };
  await live.gateway.startSync(ref, 'manual');
  await live.ended(name, 2);
  assert.ok((await cycle.edgeDigest(path, 'v2')) !== undefined);

  await live.resources.resource('repositories').patch(ref, { spec: { prune: true } });
  await live.gateway.startSync(ref, 'manual');
  await until('pruned', async () => ((await cycle.edgeDigest(path, 'v2')) === undefined ? true : undefined));
  assert.ok((await cycle.edgeDigest(path, 'v1')) !== undefined);
  assert.ok((await cycle.edgeDigest(path, 'v3')) !== undefined);
  await removePod();
});

test('a selector that no engine could match in time is refused as InvalidRule', async () => {
  const path = `test/${live.unique('bad')}`;
  await from.push(path, 'v', madeImage([100]));
  const name = await live.repository(secret, {
    repository: path,
    tag: 'v',
    tagSelector: { regex: '(?=a)' },
    retryCount: 0,
  });
  const { record } = await live.ended(name);
  assert.deepEqual([record.result, record.reason], ['Failed', 'InvalidRule']);
});

test('Gone: a tag that vanished upstream and is kept shows as such; newest by date goes by the images, not the names', async () => {
  const path = `test/${live.unique('dated')}`;
  const dates = {
    alpha: '2024-03-01T00:00:00Z',
    beta: '2026-01-01T00:00:00Z',
    gamma: '2025-06-01T00:00:00Z',
  };
  for (const [tag, created] of Object.entries(dates))
    await from.push(path, tag, madeImage([300], { created }));
  const name = await live.repository(secret, {
    repository: path,
    tag: 'beta',
    tagSelector: { glob: '*a', orderBy: 'created', newest: 2 },
  });
  await live.ended(name);
  const there = async (): Promise<boolean[]> =>
    Promise.all(Object.keys(dates).map(async (tag) => (await cycle.edgeDigest(path, tag)) !== undefined));
  assert.deepEqual(await there(), [false, true, true], 'alpha is the oldest');

  assert.equal(await cycle.untagUpstream(path, 'gamma'), 202);
  await live.gateway.startSync({ namespace: live.namespace, name }, 'manual');
  const { object } = await live.ended(name, 2);
  assert.deepEqual(await there(), [true, true, true], 'alpha is among the newest two now, gamma stays');
  assert.deepEqual(
    object.status?.tags?.map(({ tag, state }) => [tag, state]),
    [
      ['beta', 'Synced'],
      ['alpha', 'Synced'],
      ['gamma', 'Gone'],
    ],
  );
});
