import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { AuditRecord } from '../../domain/audit/record.ts';
import type { VersionStatus } from '../../domain/resources/repository.ts';
import { rollbackAnnotation } from '../../domain/reconcile/lifecycle.ts';
import { demoRegistry } from '../../infra/local/demo/registry.ts';
import { liveLifecycle } from '../support/live-lifecycle.ts';
import { liveSync, until } from '../support/live-sync.ts';
import { stageInPool } from '../support/live-pool.ts';
import { madeImage } from '../support/made-image.ts';
import { endpoints } from '../support/stack.ts';

const { registries } = endpoints();
const { upstream, edge } = registries;
const live = liveSync();
const cycle = liveLifecycle(live);
const from = demoRegistry(upstream);
let secret = '';

before(async () => {
  secret = await live.secret(upstream);
});
after(() => live.close());

/** A Repository whose tag was synced with two images, the second being the current one. */
async function twoVersions(
  sites?: string[],
): Promise<{ name: string; path: string; old: string; fresh: string }> {
  const path = `test/${live.unique('back')}`;
  const [old, fresh] = [madeImage([3000, 50]), madeImage([4000, 50])];
  await from.push(path, 'v', old);
  const name = await live.repository(secret, {
    repository: path,
    tag: 'v',
    ...(sites === undefined ? {} : { sites }),
  });
  await live.ended(name);
  await from.push(path, 'v', fresh);
  await live.gateway.startSync({ namespace: live.namespace, name }, 'manual');
  await live.ended(name, 2);
  return { name, path, old: old.index.digest, fresh: fresh.index.digest };
}

test('a rollback puts the previous version back, no resync undoes it, and a release does', async () => {
  const { name, path, old, fresh } = await twoVersions();
  const route = `namespaces/${live.namespace}/repositories/${name}`;
  assert.equal(await cycle.edgeDigest(path, 'v'), fresh);

  const versions = await cycle.call('GET', `${route}/versions`);
  assert.deepEqual(
    (versions.body['items'] as { digest: string }[]).map(({ digest }) => digest),
    [fresh, old],
  );
  const items = versions.body['items'] as VersionStatus[];
  const syncs = (await live.get(name)).status?.history?.map(({ runId }) => runId);
  assert.deepEqual(
    items.map(({ syncId }) => syncId),
    syncs,
    'which sync placed it',
  );
  assert.ok(items.every(({ seen, placed }) => Date.parse(seen) <= Date.parse(placed ?? '')));
  const compared = await cycle.call('GET', `${route}/versions/compare?from=${old}&to=${fresh}`);
  assert.equal(compared.status, 200, JSON.stringify(compared.body));
  assert.deepEqual([compared.body['addedBytes'], compared.body['removedBytes']], [4050, 3050]);

  const answer = await cycle.call('POST', `${route}/rollback`, {});
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  assert.deepEqual([answer.body['to'], answer.body['done']], [old, true]);
  assert.equal(await cycle.edgeDigest(path, 'v'), old);
  assert.equal((await live.get(name)).spec.pinnedDigest, old);

  const { object, record } = await live.syncs(name, 'schedule');
  assert.deepEqual([record.bytesMoved, record.digest], [0, old], JSON.stringify(record));
  assert.equal(await cycle.edgeDigest(path, 'v'), old);
  assert.equal(object.status?.versions?.[0]?.digest, old);

  assert.equal((await cycle.call('POST', `${route}/release`, {})).status, 200);
  await until('the new version is back', async () =>
    (await cycle.edgeDigest(path, 'v')) === fresh ? true : undefined,
  );
  assert.equal((await cycle.call('POST', `${route}/release`, {})).status, 409);
});

test('a tag that a user pins stays while upstream moves and a schedule syncs; without the pin it follows', async () => {
  const path = `test/${live.unique('pinned')}`;
  const [first, second, third] = [madeImage([1000]), madeImage([2000]), madeImage([3000])];
  for (const tag of ['main', 'other', 'free']) await from.push(path, tag, first);
  const [one, two, three] = [first.index.digest, second.index.digest, third.index.digest];
  const name = await live.repository(secret, {
    repository: path,
    tag: 'main',
    tagSelector: { glob: '*' },
    pinnedDigest: one,
    pins: [{ tag: 'other', digest: one }],
  });
  await live.ended(name);
  const shown = async (): Promise<unknown[]> =>
    Promise.all(['main', 'other', 'free'].map((tag) => cycle.edgeDigest(path, tag)));
  assert.deepEqual(await shown(), [one, one, one]);

  for (const tag of ['main', 'other', 'free']) await from.push(path, tag, second);
  const { record, object } = await live.syncs(name, 'schedule');
  assert.equal(record.result, 'Success', JSON.stringify(record));
  assert.deepEqual(await shown(), [one, one, two]);
  assert.equal(object.status?.digest, one);

  const edit = async (spec: object): Promise<void> => {
    await live.resources.resource('repositories').patch(cycle.key(name), { spec });
  };
  await edit({ pins: [{ tag: 'other', digest: two }] });
  await until('the pin moved', async () =>
    (await cycle.edgeDigest(path, 'other')) === two ? true : undefined,
  );
  for (const tag of ['main', 'other', 'free']) await from.push(path, tag, third);
  await edit({ pins: null });
  await until('unpinned', async () => ((await cycle.edgeDigest(path, 'other')) === three ? true : undefined));
  assert.deepEqual(await shown(), [one, three, three]);
  await edit({ pinnedDigest: null });
  await until('all follow', async () =>
    (await cycle.edgeDigest(path, 'main')) === three ? true : undefined,
  );
});

test('the annotation rollback-to does the same as the API, and is taken away', async () => {
  const { name, path, old } = await twoVersions();
  await live.resources
    .resource('repositories')
    .patch(
      { namespace: live.namespace, name },
      { metadata: { annotations: { [rollbackAnnotation]: 'previous' } } },
    );
  await until('rolled back', async () => ((await cycle.edgeDigest(path, 'v')) === old ? true : undefined));
  const { metadata, spec } = await live.get(name);
  assert.equal(metadata.annotations?.[rollbackAnnotation], undefined);
  assert.equal(spec.pinnedDigest, old);
  const query = `audit?stream=worker&namespace=${live.namespace}&name=${name}&limit=100`;
  await until('each step is in the audit log, before and after', async () => {
    const items = (await cycle.call('GET', query)).body['items'] as AuditRecord[];
    const told = new Set(items.map(({ verb, stage }) => `${verb} ${stage}`));
    const pinned = items.find(({ verb }) => verb === 'pin')?.images;
    assert.ok(pinned === undefined || pinned[0]?.digestAfter === old, JSON.stringify(pinned));
    const verbs = ['start-rollback', 'pin', 'rollback'];
    return verbs.every((verb) => ['Requested', 'Completed'].every((end) => told.has(`${verb} ${end}`)))
      ? true
      : undefined;
  });
});

test('G13 a rollback to content that is gone is refused, and the tag stays', async () => {
  const { name, path, fresh } = await twoVersions();
  const digest = `sha256:${'0'.repeat(64)}`;
  const answer = await cycle.call('POST', `namespaces/${live.namespace}/repositories/${name}/rollback`, {
    digest,
  });
  assert.equal(answer.status, 409, JSON.stringify(answer.body));
  assert.equal((answer.body['details'] as { code: string }).code, 'RollbackTargetMissing');
  assert.equal(await cycle.edgeDigest(path, 'v'), fresh);
  assert.equal((await live.get(name)).spec.pinnedDigest, undefined);
});

/** A site of its own on the edge's registry. */
async function site(name: string): Promise<string> {
  const full = live.unique(name);
  await live.resources.resource('edgesites').create({
    apiVersion: 'image.theriseunion.io/v1alpha1',
    kind: 'EdgeSite',
    metadata: { name: full },
    spec: { registry: { domain: edge.domain, credentialSecretName: 'site-edge', pathPrefix: `${full}/` } },
  });
  return full;
}

test('a rollback of one site leaves the others alone, in every later sync, until it is released', async () => {
  const [north, south] = [await site('north'), await site('south')];
  const { name, path, old, fresh } = await twoVersions([north, south]);
  const route = `namespaces/${live.namespace}/repositories/${name}`;
  const shown = async (): Promise<unknown[]> =>
    Promise.all([north, south].map((place) => cycle.edgeDigest(`${place}/${path}`, 'v')));
  const wrong = await cycle.call('POST', `${route}/rollback`, { sites: ['nowhere'] });
  assert.equal(wrong.status, 400, JSON.stringify(wrong.body));
  const answer = await cycle.call('POST', `${route}/rollback`, { sites: [south] });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  assert.deepEqual(await shown(), [fresh, old]);
  assert.deepEqual((await live.get(name)).spec.pins, [{ tag: 'v', digest: old, sites: [south] }]);

  const newest = madeImage([2000]);
  await from.push(path, 'v', newest);
  const { object, record } = await live.syncs(name, 'schedule');
  assert.equal(record.result, 'Success', JSON.stringify(record));
  assert.deepEqual(await shown(), [newest.index.digest, old]);
  assert.deepEqual(
    object.status?.tags?.map(({ tag, digest, sites }) => [tag, digest, sites]),
    [
      [
        'v',
        newest.index.digest,
        [
          { site: north, state: 'Synced' },
          { site: south, state: 'Synced', digest: old },
        ],
      ],
    ],
  );
  assert.equal((await cycle.call('POST', `${route}/release`, {})).status, 200);
  await until('the new version is everywhere', async () =>
    (await shown()).every((digest) => digest === newest.index.digest) ? true : undefined,
  );
});

test('content that the site lost comes from the pool of bundles, also where upstream lost it, too', async () => {
  const { name, path, old, fresh } = await twoVersions();
  await stageInPool(path, old, { ref: cycle.key(name), registryRef: cycle.key(secret) });
  for (const registry of [upstream, edge]) assert.equal(await cycle.forget(registry, path, old), 202);

  const route = `namespaces/${live.namespace}/repositories/${name}`;
  assert.equal(await cycle.edgeDigest(path, 'v'), fresh);
  const answer = await cycle.call('POST', `${route}/rollback`, { digest: old });
  assert.deepEqual([answer.status, answer.body['done']], [200, true], JSON.stringify(answer.body));
  assert.equal(await cycle.edgeDigest(path, 'v'), old);
  const other = await cycle.call('POST', `${route}/rollback`, { digest: `sha256:${'1'.repeat(64)}` });
  assert.equal((other.body['details'] as { code: string }).code, 'RollbackTargetMissing');
});

test('content that only upstream has is copied from there', async () => {
  const { name, path, old } = await twoVersions();
  assert.equal(await cycle.forget(edge, path, old), 202);
  const route = `namespaces/${live.namespace}/repositories/${name}`;
  const answer = await cycle.call('POST', `${route}/rollback`, { digest: old });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  await until('it is back', async () => ((await cycle.edgeDigest(path, 'v')) === old ? true : undefined));
});
