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
