import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { after, before, test } from 'node:test';
import { demoRegistry } from '../../infra/local/demo/registry.ts';
import type { FailureCode } from '../../domain/failure.ts';
import type { RepositorySpec } from '../../domain/resources/repository.ts';
import { liveSync, synced, until } from '../support/live-sync.ts';
import { madeImage } from '../support/made-image.ts';
import { endpoints } from '../support/stack.ts';

const { upstream, edge } = endpoints().registries;
const live = liveSync();
const from = demoRegistry(upstream);
const to = demoRegistry(edge);
let secret = '';

before(async () => {
  secret = await live.secret(upstream);
});
after(() => live.close());

test('a first sync brings every byte, and condition, status and history say so', async () => {
  const path = `test/${live.unique('first')}`;
  const image = madeImage([300_000, 20]);
  await from.push(path, '1.0', image);
  const name = await live.repository(secret, { repository: path, tag: '1.0' });
  const { object, record } = await live.ended(name);
  assert.equal(record.result, 'Success', JSON.stringify(object.status));
  assert.ok(image.index.bytes.equals(await to.manifest(path, '1.0')));
  for (const blob of image.blobs) assert.ok(blob.bytes.equals(await to.blob(path, blob.digest)));
  const { status } = object;
  assert.deepEqual(
    [status?.syncStatus, status?.syncProgress, status?.digest, status?.domain, synced(object).status],
    ['Success', '100%', image.index.digest, upstream.domain, 'True'],
  );
  assert.deepEqual(
    [status?.manifest?.architecture, status?.manifest?.layers.map(({ size }) => size)],
    ['amd64', ['300000', '20']],
  );
  assert.deepEqual([record.trigger, record.workflowId], ['create', `sync/default/${name}`]);
});

test('an unchanged resync copies nothing and says when it was last confirmed; a moved tag is taken over', async () => {
  const path = `test/${live.unique('moved')}`;
  const [old, fresh] = [madeImage([1000]), madeImage([2000])];
  await from.push(path, 'v', old);
  const name = await live.repository(secret, { repository: path, tag: 'v' });
  await live.ended(name);
  const ref = { namespace: live.namespace, name };

  await live.gateway.startSync(ref, 'manual');
  const unchanged = await live.ended(name, 2);
  assert.deepEqual([unchanged.record.result, unchanged.record.bytesMoved], ['Unchanged', 0]);
  assert.match(synced(unchanged.object).message, /last confirmed .+ \/ 无变化/);
  assert.ok(unchanged.object.status?.sites?.[0]?.confirmed !== undefined);

  await from.push(path, 'v', fresh);
  await live.gateway.startSync(ref, 'manual');
  const moved = await live.ended(name, 3);
  assert.equal(moved.object.status?.digest, fresh.index.digest);
  assert.ok(fresh.index.bytes.equals(await to.manifest(path, 'v')));
  assert.deepEqual(
    moved.object.status?.versions?.map(({ digest }) => digest),
    [fresh.index.digest, old.index.digest],
  );
});

interface Trouble {
  readonly code: FailureCode;
  readonly says: RegExp;
  readonly secret?: () => Promise<string>;
  readonly spec?: Partial<RepositorySpec>;
}

const account = { username: 'u', password: 'canary-password' };
const troubles: Readonly<Record<string, Trouble>> = {
  'a wrong password': {
    code: 'Unauthorized',
    says: /refused the user name or password.*用户名或密码错误/s,
    secret: () => live.secret({ ...upstream, password: 'canary-password' }),
  },
  'an unknown tag': {
    code: 'TagNotFound',
    says: /no such tag.*没有该标签/s,
    spec: { repository: 'test/known', tag: 'nope' },
  },
  'an unknown path': {
    code: 'RepositoryNotFound',
    says: /no such repository.*没有该镜像路径/s,
    spec: { repository: 'test/nowhere' },
  },
  'an unknown host': {
    code: 'DNSFailure',
    says: /host name is unknown.*无法解析主机名/s,
    secret: () => live.secret({ domain: 'registry.invalid', ...account }),
  },
  'a refused connection': {
    code: 'ConnectionRefused',
    says: /connection was refused.*连接被拒绝/s,
    secret: () => live.secret({ domain: '127.0.0.1:1', ...account }),
  },
  'a registry that never answers': {
    code: 'SyncTimeout',
    says: /time-out.*同步超时/s,
    secret: async () => live.secret({ domain: `127.0.0.1:${await silentPort()}`, ...account }),
    spec: { syncTimeout: '2s' },
  },
  'a RegistrySecret that is not there': {
    code: 'RegistrySecretNotFound',
    says: /RegistrySecret does not exist.*仓库凭据不存在/s,
    secret: async () => 'never-made',
  },
  'a site that is not there': {
    code: 'SiteNotFound',
    says: /no EdgeSite of this name \(atlantis\)/,
    spec: { sites: ['atlantis'], repository: 'test/known' },
  },
};

for (const [what, { code, says, ...trouble }] of Object.entries(troubles)) {
  test(`${what} fails as ${code}, in plain words, in condition and Event`, async () => {
    await from.push('test/known', '1', madeImage([10]));
    const secretName = (await trouble.secret?.()) ?? secret;
    const spec = { repository: 'test/known', tag: '1', retryCount: 0, ...trouble.spec };
    const name = await live.repository(secretName, spec);
    const { object, record } = await live.ended(name);
    assert.equal(record.reason, code, JSON.stringify(object.status));
    assert.equal(object.status?.syncStatus, 'Failed');
    assert.deepEqual([synced(object).status, synced(object).reason], ['False', code]);
    assert.match(synced(object).message, says);
    const { uid = '' } = object.metadata;
    const event = await until('the Event', async () =>
      (await live.eventsOf(uid)).find(({ action }) => action === 'Sync'),
    );
    assert.deepEqual([event.type, event.reason], ['Warning', 'ImageManagement']);
    assert.match(event.note ?? '', says);
    assert.doesNotMatch(JSON.stringify([object, event]), /canary/);
  });
}

test('N13: starts at the same moment join one run', async () => {
  // 20 s at this rate, so that the starts come while it runs, also on a machine with much else to do
  const site = await live.slowSite(edge.domain, 1_000_000);
  const path = `test/${live.unique('once')}`;
  await from.push(path, '1', madeImage([20_000_000]));
  const name = await live.repository(secret, { repository: path, tag: '1', sites: [site] });
  const ref = { namespace: live.namespace, name };
  await until('the copy', async () => ((await live.copies(ref)) > 0 ? true : undefined));
  const runs = await Promise.all(Array.from({ length: 8 }, () => live.gateway.startSync(ref, 'manual')));
  assert.equal(new Set(runs.map(({ runId }) => runId)).size, 1);
  assert.ok(runs.every(({ alreadyRunning }) => alreadyRunning));
  await live.gateway.cancelSync(ref);
  const { object } = await live.ended(name);
  assert.deepEqual(
    object.status?.history?.map(({ runId }) => runId),
    [runs[0]?.runId],
  );
});

test('N11: a cancelled sync stops within 2 s, keeps the old image and says Cancelled', async () => {
  const site = await live.slowSite(edge.domain, 1_000_000);
  const path = `test/${live.unique('cancelled')}`;
  await from.push(path, '1', madeImage([40_000_000]));
  const name = await live.repository(secret, { repository: path, tag: '1', sites: [site] });
  const ref = { namespace: live.namespace, name };
  await until('the copy', async () => ((await live.copies(ref)) > 0 ? true : undefined));
  const asked = performance.now();
  assert.equal(await live.gateway.cancelSync(ref), true);
  const { object, record } = await live.ended(name);
  assert.ok(performance.now() - asked < 2000, `${performance.now() - asked} ms`);
  assert.deepEqual(
    [record.result, synced(object).reason, object.status?.syncStatus],
    ['Cancelled', 'Cancelled', ''],
  );
  await assert.rejects(to.manifest(path, '1'), /404/);
  await until('its end', async () => {
    const run = await live.gateway.newestSync(ref);
    return run?.isOpen === false ? true : undefined;
  });
  assert.equal(await live.gateway.cancelSync(ref), false, 'nothing runs any more');
  assert.equal(await live.gateway.cancelSync(ref, record.runId), false, 'that run has ended');
});

test('S01: a Schedule starts the same sync, and goes with its Repository', async () => {
  const path = `test/${live.unique('scheduled')}`;
  await from.push(path, '1', madeImage([10]));
  const name = await live.repository(secret, { repository: path, tag: '1', syncInterval: '3s' });
  await live.ended(name);
  const { record } = await live.ended(name, 2);
  assert.deepEqual([record.trigger, record.result], ['schedule', 'Unchanged']);
  assert.equal(record.workflowId, `sync/default/${name}`);
  const ref = { namespace: live.namespace, name };
  await live.resources.resource('repositories').delete(ref);
  await until('the Schedule to go', async () => ((await live.hasSchedule(ref)) ? undefined : true));
});

/** A port that takes connections and never says a word. */
async function silentPort(): Promise<number> {
  const server = createServer((socket) => socket.unref());
  server.unref();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
