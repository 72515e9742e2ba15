import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRegistryDomain } from '../../../domain/names/registry-domain.ts';
import type { RegistryAccess } from '../../../infra/copy/engine.ts';
import { RegistryClients } from '../../../infra/registry/registry-client.ts';

const access = (site: number): RegistryAccess => ({
  domain: parseRegistryDomain(`registry.site-${site}.example`),
  provider: 'other',
});

test('of two thousand registries, what is known of those in use stays', async () => {
  const clients = new RegistryClients();
  const [used, unused] = [clients.of(access(0)), clients.of(access(1))];
  for (let site = 2; site <= 2000; site += 1) {
    clients.of(access(site));
    assert.equal(clients.of(access(0)), used);
  }
  assert.notEqual(clients.of(access(1)), unused);
  await clients.close();
});

test('a registry that had no referrers API is asked again after a while, one that has it is not', async (context) => {
  const clients = new RegistryClients();
  const [without, having] = [clients.of(access(0)), clients.of(access(1))];
  without.referrersApi = false;
  having.referrersApi = true;
  assert.deepEqual([without.referrersApi, having.referrersApi], [false, true]);
  const later = performance.now() + 600_000;
  context.mock.method(performance, 'now', () => later);
  assert.deepEqual([without.referrersApi, having.referrersApi], [undefined, true]);
  await clients.close();
});
