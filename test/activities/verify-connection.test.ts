import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { MockActivityEnvironment } from '@temporalio/testing';
import type { VerifyDependencies } from '../../activities/dependencies.ts';
import { checkConnection, recordConnection } from '../../activities/verify-connection.ts';
import { parseRegistryDomain } from '../../domain/names/registry-domain.ts';
import type { RegistrySecret } from '../../domain/resources/registry-secret.ts';
import type { VerifyResult } from '../../domain/sync/verification.ts';
import { registrySecretStatus } from '../../infra/kubernetes/schema/registry-secret.ts';
import { createRegistryVerifier } from '../../infra/registry/registry-verifier.ts';
import { NotedAudit } from '../support/noted-audit.ts';

const ref = { namespace: 'shop', name: 'hub' };
type Told = Readonly<Record<string, string>> | 'down';

/** A hub that tells of a quota in its headers, and one RegistrySecret that is kept in memory. */
async function stage() {
  let told: Told = {};
  const hub = createServer((request, response) => {
    if (told === 'down') response.writeHead(401).end();
    else if (request.url?.includes('/manifests/') === true) response.writeHead(200, told).end();
    else response.writeHead(request.url === '/v2/' ? 200 : 404).end('{}');
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => hub.once('listening', resolve));
  const domain = `127.0.0.1:${(hub.address() as AddressInfo).port}`;
  let stored: RegistrySecret = {
    apiVersion: 'image.theriseunion.io/v1alpha1',
    kind: 'RegistrySecret',
    metadata: { ...ref, uid: 'u1', generation: 1 },
    spec: { domain, username: 'u', password: '<encrypted>', provider: 'dockerhub' },
  };
  const secrets = {
    get: async () => stored,
    updateStatus: async (_ref: unknown, _uid: string, next: (found: RegistrySecret) => object) => {
      stored = { ...stored, status: next(stored) };
    },
    patch: async () => {},
  };
  const audit = new NotedAudit();
  const deps = {
    resources: { resource: () => secrets },
    credentials: {
      registryAccess: async () => ({ domain: parseRegistryDomain(domain), provider: 'dockerhub' }),
    },
    verifier: createRegistryVerifier(),
    repositories: () => [],
    connections: { count: () => {} },
    events: { record: async () => {} },
    clock: () => '2026-01-01T00:00:00Z',
    audit,
  } as unknown as VerifyDependencies;
  const environment = new MockActivityEnvironment();
  return {
    audit,
    close: () => hub.close(),
    /** Tests the connection, writes what came out, and reads what is stored as the API server would take it. */
    verify: async (next: Told) => {
      told = next;
      const check = (): Promise<VerifyResult> => checkConnection(deps, ref);
      const result = await environment.run<[], VerifyResult, typeof check>(check);
      await recordConnection(deps, ref, result);
      return registrySecretStatus.parse(stored.status);
    },
  };
}

test('the pulls that are left are carried from the answer into the stored status, as long as the credential works', async () => {
  const { verify, close } = await stage();
  const left = (remaining: number): Told => ({
    'ratelimit-limit': '100;w=21600',
    'ratelimit-remaining': `${remaining};w=21600`,
  });
  const quota = (remaining: number) => ({ remaining, limit: 100, windowSeconds: 21_600 });
  try {
    assert.deepEqual((await verify(left(76))).pullQuota, quota(76));
    assert.deepEqual((await verify(left(0))).pullQuota, quota(0), 'none left is told as such');
    assert.equal((await verify({})).pullQuota, undefined, 'a plan without limit');
    assert.deepEqual((await verify(left(5))).pullQuota, quota(5));
    const refused = await verify('down');
    assert.equal(refused.pullQuota, undefined, 'a credential that is refused has no quota');
    assert.equal(refused.conditions?.find(({ type }) => type === 'Verified')?.status, 'False');
  } finally {
    close();
  }
});

test('a connection that turns is in the audit log, one that stays as it was is not', async () => {
  const { audit, verify, close } = await stage();
  try {
    for (const told of [{}, {}, 'down', 'down', {}, {}] as const) await verify(told);
  } finally {
    close();
  }
  assert.deepEqual(
    audit.told.map(({ stage: at, fact, end }) => [at, fact.verb, fact.object.name, end?.reason]),
    [
      ['Requested', 'verify', 'hub', undefined],
      ['Completed', 'verify', 'hub', undefined],
      ['Requested', 'verify', 'hub', undefined],
      ['Failed', 'verify', 'hub', 'Unauthorized'],
      ['Requested', 'verify', 'hub', undefined],
      ['Completed', 'verify', 'hub', undefined],
    ],
  );
});
