import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { demoRegistry } from '../../infra/local/demo/registry.ts';
import { call, freshNamespace } from '../support/api-client.ts';
import { liveSync, synced, until } from '../support/live-sync.ts';
import { madeImage } from '../support/made-image.ts';
import { endpoints } from '../support/stack.ts';

/** A Repository may use a RegistrySecret of another namespace as long as that one allows it (issue 5, "Namespaces"). */
const { registries, tokens } = endpoints();
const live = liveSync();
const { upstream } = registries;
const path = `test/${live.unique('lent')}`;
let lender = '';

before(async () => {
  lender = await freshNamespace('lender');
  await demoRegistry(upstream).push(path, '1', madeImage([100]));
});
after(() => live.close());

/** A RegistrySecret in another namespace than the Repositories', lent to these. */
async function lent(allowedNamespaces: readonly string[]): Promise<string> {
  const name = live.unique('hub');
  const created = await call(tokens.admin, 'POST', `/namespaces/${lender}/registry-secrets`, {
    apiVersion: 'image.theriseunion.io/v1alpha1',
    kind: 'RegistrySecret',
    metadata: { name },
    spec: { ...upstream, provider: 'other', allowedNamespaces },
  });
  assert.equal(created.status, 201, created.text);
  return name;
}

async function borrower(secret: string): Promise<string> {
  const name = live.unique('borrower');
  await live.resources.resource('repositories').create({
    apiVersion: 'image.theriseunion.io/v1alpha1',
    kind: 'Repository',
    metadata: { name, namespace: live.namespace },
    spec: { repository: path, tag: '1', registryRef: { name: secret, namespace: lender } },
  });
  return name;
}

const change = (secret: string, allowedNamespaces: readonly string[]) =>
  live.resources
    .resource('registrysecrets')
    .patch({ namespace: lender, name: secret }, { spec: { allowedNamespaces } });

async function credentialReady(name: string, status: 'True' | 'False') {
  return until(`CredentialReady ${status}`, async () =>
    (await live.get(name)).status?.conditions?.find(
      (condition) => condition.type === 'CredentialReady' && condition.status === status,
    ),
  );
}

const sync = (name: string) =>
  call(tokens.admin, 'POST', `/namespaces/${live.namespace}/repositories/${name}/sync`);

test('a revoked loan shows at once, stops the next sync, and both say so; lent again it goes on', async () => {
  const secret = await lent([live.namespace]);
  const name = await borrower(secret);
  assert.equal((await live.ended(name)).record.result, 'Success');

  await change(secret, ['somebody-else']);
  const told = await credentialReady(name, 'False');
  assert.equal(told.reason, 'SecretRefRefused');
  assert.equal((await sync(name)).status, 200);
  const { object, record } = await live.ended(name, 2);
  assert.deepEqual([record.result, record.reason], ['Failed', 'SecretRefRefused']);
  assert.equal(object.status?.syncStatus, 'Failed');
  assert.deepEqual([synced(object).status, synced(object).reason], ['False', 'SecretRefRefused']);
  assert.match(synced(object).message, /allowedNamespaces/);
  const notes = (await live.eventsOf(object.metadata.uid ?? '')).filter(({ type }) => type === 'Warning');
  assert.ok(
    notes.some(({ note }) => note?.includes('allowedNamespaces')),
    notes.map(({ note }) => note).join('\n'),
  );

  await change(secret, ['*']);
  await credentialReady(name, 'True');
  await sync(name);
  assert.notEqual((await live.ended(name, 3)).record.result, 'Failed');
});

test('what was never lent is not used, and nothing of it is told to the one who asks', async () => {
  const secret = await lent([]);
  const name = await borrower(secret);
  const { object, record } = await live.ended(name);
  assert.deepEqual([record.result, record.reason], ['Failed', 'SecretRefRefused']);
  assert.ok(!JSON.stringify(object).includes(upstream.username));
});
