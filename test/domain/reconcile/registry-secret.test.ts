import assert from 'node:assert/strict';
import { test } from 'node:test';
import { registrySecretWish, withoutPassword } from '../../../domain/reconcile/registry-secret.ts';
import type { RegistrySecret } from '../../../domain/resources/registry-secret.ts';

const now = Date.parse('2026-01-01T00:00:00Z');
const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';
const mirrored = {
  'theriseunion.io/domain': 'hub.example',
  'theriseunion.io/username': 'robot',
  'theriseunion.io/provider': 'other',
  'theriseunion.io/verify-status': 'success',
};

const secret = (
  password: string,
  annotations: Record<string, string>,
  lastVerified?: string,
): RegistrySecret => ({
  apiVersion: 'image.theriseunion.io/v1alpha1',
  kind: 'RegistrySecret',
  metadata: { name: 'hub', namespace: 'shop', uid: 'u-1', annotations },
  spec: { domain: 'hub.example', username: 'robot', password, provider: 'other' },
  ...(lastVerified === undefined ? {} : { status: { lastVerified } }),
});

test('a plain password is taken out of the spec and of what kubectl remembers', () => {
  const applied = JSON.stringify({ spec: { domain: 'hub.example', password: 'p4ss' } });
  const wish = registrySecretWish(secret('p4ss', { [lastApplied]: applied }), now);
  assert.deepEqual(wish.credential, { username: 'robot', password: 'p4ss' });
  const patch = JSON.stringify(wish.patch);
  assert.ok(!patch.includes('p4ss'), patch);
  assert.match(patch, /"password":"<encrypted>"/);
});

test('a remembered configuration that cannot be read is removed whole', () => {
  assert.equal(withoutPassword('{not json p4ss'), null);
  assert.equal(withoutPassword('null'), null);
});

test('what is written is meant for the version that was looked at, and no newer one', () => {
  const looked = secret('<encrypted>', {});
  const wish = registrySecretWish({ ...looked, metadata: { ...looked.metadata, resourceVersion: '7' } }, now);
  assert.match(JSON.stringify(wish.patch), /"resourceVersion":"7"/);
});

test('an object as wanted is not written again', () => {
  const wish = registrySecretWish(secret('<encrypted>', mirrored, '2025-12-31T23:59:30Z'), now);
  assert.deepEqual(wish, { verify: false });
});

test('a new object shows its spec in annotations, untested, and is verified', () => {
  const wish = registrySecretWish(secret('<encrypted>', {}), now);
  assert.deepEqual(wish.patch, {
    metadata: { annotations: { ...mirrored, 'theriseunion.io/verify-status': 'untested' } },
  });
  assert.equal(wish.verify, true);
});

test('a registry is verified again two to three minutes after the last time', () => {
  const due = (seconds: number): boolean =>
    registrySecretWish(secret('<encrypted>', mirrored, new Date(now - seconds * 1000).toISOString()), now)
      .verify;
  assert.equal(due(119), false);
  assert.equal(due(151), true);
});
