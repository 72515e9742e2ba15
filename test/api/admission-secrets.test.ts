import assert from 'node:assert/strict';
import { test } from 'node:test';
import { admissionWebhooks } from '../../api/routes/admission.ts';
import { admitted } from '../../domain/admission/review.ts';
import type { RegistrySecret } from '../../domain/resources/registry-secret.ts';
import { MemoryCluster } from '../support/memory-cluster.ts';

const ref = { namespace: 'shop', name: 'hub' };
const secret = (password: string): RegistrySecret => ({
  apiVersion: 'image.theriseunion.io/v1alpha1',
  kind: 'RegistrySecret',
  metadata: ref,
  spec: { domain: 'hub.example', username: 'robot', password, provider: 'other' },
});

function scene() {
  const cluster = new MemoryCluster();
  const app = admissionWebhooks({
    credentials: cluster.credentials,
    clients: cluster,
    registrySecrets: cluster.cache('registrysecrets'),
    repositories: cluster.cache('repositories'),
    audit: { review: async () => admitted, refused: async () => undefined },
    secretName: (name) => name,
  });
  const create = async (password: string, dryRun = false) => {
    const request = {
      uid: 'r',
      operation: 'CREATE',
      ...ref,
      dryRun,
      object: secret(password),
      oldObject: null,
    };
    const response = await app.request('/admission/registrysecrets', {
      method: 'POST',
      body: JSON.stringify({ request }),
    });
    return { status: response.status, text: await response.text() };
  };
  return { cluster, create };
}

test('the password of a new RegistrySecret is stored before it is let in', async () => {
  const { cluster, create } = scene();
  assert.match((await create('p4ss')).text, /"allowed":true/);
  assert.equal(cluster.credentialsStored.get('shop/hub')?.password, 'p4ss');
});

test('a second create of the same name, which the API server will refuse, does not touch the first one’s credential', async () => {
  const { cluster, create } = scene();
  await create('p4ss');
  await cluster.resource('registrysecrets').create(secret('<encrypted>'));
  const { status, text } = await create('an0ther');
  assert.equal(status, 200);
  assert.ok(!text.includes('an0ther'));
  assert.equal(cluster.credentialsStored.get('shop/hub')?.password, 'p4ss');
});

test('a dry run stores nothing', async () => {
  const { cluster, create } = scene();
  await create('p4ss', true);
  assert.equal(cluster.credentialsStored.size, 0);
});
