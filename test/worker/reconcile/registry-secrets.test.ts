import assert from 'node:assert/strict';
import { test } from 'node:test';
import pino from 'pino';
import { Failure } from '../../../domain/failure.ts';
import type { RegistrySecret } from '../../../domain/resources/registry-secret.ts';
import type { WorkflowGateway } from '../../../infra/temporal/gateway.ts';
import { RegistrySecretReconciler } from '../../../worker/reconcile/registry-secrets.ts';
import { MemoryCluster } from '../../support/memory-cluster.ts';
import { isCode } from '../../support/failures.ts';

const ref = { namespace: 'shop', name: 'hub' };
const created = Date.parse('2026-01-01T00:00:00Z');

async function scene(password: string) {
  const cluster = new MemoryCluster();
  const secret: RegistrySecret = {
    apiVersion: 'image.theriseunion.io/v1alpha1',
    kind: 'RegistrySecret',
    metadata: { ...ref, creationTimestamp: new Date(created).toISOString() },
    spec: { domain: 'hub.example', username: 'robot', password, provider: 'other' },
  };
  await cluster.resource('registrysecrets').create(secret);
  const verified: string[] = [];
  const workflows = { startVerify: async () => void verified.push('hub') } as unknown as WorkflowGateway;
  const time = { now: created + 1000 };
  const deps = {
    clients: cluster,
    caches: cluster,
    credentials: cluster.credentials,
    events: cluster.recorder,
    workflows,
    log: pino({ level: 'silent' }),
    now: () => time.now,
  };
  return { cluster, secret, verified, time, reconciler: new RegistrySecretReconciler(deps) };
}

test('a plain password is stored first, then hidden, then the connection is verified', async () => {
  const { cluster, verified, reconciler } = await scene('p4ss');
  await reconciler.reconcile(ref);
  assert.equal(cluster.credentialsStored.get('shop/hub')?.password, 'p4ss');
  assert.equal((await cluster.resource('registrysecrets').get(ref))?.spec.password, '<encrypted>');
  assert.deepEqual(verified, ['hub']);
});

test('where the Secret cannot be written the password stays, and the work is tried again', async () => {
  const { cluster, reconciler } = await scene('p4ss');
  cluster.fail.storeCredential = new Failure('ClusterUnavailable');
  await assert.rejects(reconciler.reconcile(ref), isCode('ClusterUnavailable'));
  assert.equal((await cluster.resource('registrysecrets').get(ref))?.spec.password, 'p4ss');
});

test('a new object whose Secret is not there yet is not verified, but tried again', async () => {
  const { cluster, secret, verified, reconciler } = await scene('<encrypted>');
  await assert.rejects(reconciler.reconcile(ref), isCode('SecretNotFound'));
  assert.deepEqual(verified, []);
  await cluster.credentials.store(secret, { username: 'robot', password: 'p4ss' });
  await reconciler.reconcile(ref);
  assert.deepEqual(verified, ['hub']);
});

test('where the Secret stays away the verification tells the user', async () => {
  const { verified, time, reconciler } = await scene('<encrypted>');
  time.now = created + 6000;
  await reconciler.reconcile(ref);
  assert.deepEqual(verified, ['hub']);
});

test('a credential whose RegistrySecret was refused goes after ten minutes, and not before', async () => {
  const { cluster, secret, time, reconciler } = await scene('<encrypted>');
  await cluster.credentials.store(secret, { username: 'robot', password: 'p4ss' });
  const stray = { ref, uid: 'u', resourceVersion: '7', storedMs: created };
  time.now = created + 3_600_000;
  await reconciler.sweepStray(stray);
  assert.ok(cluster.credentialsStored.has('shop/hub'), 'its RegistrySecret is there');
  await cluster.resource('registrysecrets').delete(ref);
  time.now = created + 599_999;
  await reconciler.sweepStray(stray);
  assert.ok(cluster.credentialsStored.has('shop/hub'), 'its RegistrySecret may be on its way');
  time.now = created + 600_000;
  await reconciler.sweepStray(stray);
  assert.ok(!cluster.credentialsStored.has('shop/hub'));
});
