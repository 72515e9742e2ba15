import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { call, freshNamespace, type Answered } from '../support/api-client.ts';
import { endpoints } from '../support/stack.ts';

const { tokens, registries } = endpoints();
let ns = '';
const as = (method: string, path: string, body?: unknown, headers?: Record<string, string>) =>
  call(tokens.admin, method, path, body, headers);
const names = Array.from({ length: 60 }, (_, number) => `image-${String(number).padStart(2, '0')}`);

before(async () => {
  ns = await freshNamespace('api-batch');
});

test('a batch from YAML creates a registry source and sixty images, and tells of each', async () => {
  const source = {
    kind: 'RegistrySecret',
    metadata: { name: 'hub' },
    spec: { ...registries.upstream, provider: 'other' },
  };
  const images = names.map((name) => ({
    kind: 'Repository',
    metadata: { name },
    spec: {
      repository: `library/${name}`,
      tag: 'v1',
      registryRef: { name: 'hub' },
      syncInterval: '24h',
      suspend: true,
    },
  }));
  // JSON is YAML
  const yaml = [source, ...images].map((object) => JSON.stringify(object)).join('\n---\n');
  const tried = await as('POST', `/namespaces/${ns}/batch?dryRun=true`, yaml, {
    'content-type': 'application/yaml',
  });
  assert.deepEqual([tried.status, tried.json.accepted, tried.json.refused], [200, 61, 0], tried.text);
  const started = await as('POST', `/namespaces/${ns}/batch`, yaml, { 'content-type': 'application/yaml' });
  const ended = await finished(started);
  assert.deepEqual([ended.json.total, ended.json.done, ended.json.failed], [60, 60, 0]);
  const list = await as('GET', `/namespaces/${ns}/repositories?limit=1`);
  assert.equal(list.json.totalItems, 60);
});

test('syncs and connection tests can be asked for many at once', async () => {
  const items = names.slice(0, 5).map((name) => ({ metadata: { name } }));
  const synced = await finished(await as('POST', `/namespaces/${ns}/batch`, { operation: 'sync', items }));
  assert.equal(synced.json.done, 5);
  const secrets = [{ kind: 'RegistrySecret', metadata: { name: 'hub' } }];
  const verified = await finished(
    await as('POST', `/namespaces/${ns}/batch`, { operation: 'verify', items: secrets }),
  );
  assert.equal(verified.json.done, 1);
});

test('deleting sixty tells of each; one that is gone meanwhile fails alone', async () => {
  const items = names.map((name) => ({ metadata: { name } }));
  const ended = await finished(await as('POST', `/namespaces/${ns}/batch`, { operation: 'delete', items }));
  assert.deepEqual([ended.json.total, ended.json.done], [60, 60], ended.text.slice(0, 500));
  await until(async () => (await as('GET', `/namespaces/${ns}/repositories`)).json.totalItems === 0);
});

test('an operator may create many but delete none', async () => {
  const items = [{ metadata: { name: 'x' } }];
  const refused = await call(tokens.operator, 'POST', `/namespaces/${ns}/batch`, {
    operation: 'delete',
    items,
  });
  assert.equal(refused.status, 403);
});

async function finished(started: Answered): Promise<Answered> {
  assert.equal(started.status, 200, started.text);
  let progress: Answered | undefined;
  await until(async () => {
    progress = await as('GET', `/namespaces/${ns}/batches/${started.json.id}`);
    return progress.json.finished === true;
  });
  assert.ok(progress);
  return progress;
}

async function until(done: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 300; tries += 1) {
    if (await done()) return;
    await sleep(200);
  }
  assert.fail('it did not happen within a minute');
}
