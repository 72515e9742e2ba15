import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { inProcessApi, newRepository, newSecret } from '../support/api-in-process.ts';

const secrets = '/namespaces/default/registry-secrets';
const repositories = '/namespaces/default/repositories';
const newSite = (spec: object) => ({
  metadata: { name: 'harbour' },
  spec: { registry: { domain: 'harbour.example.com' }, ...spec },
});

const misspelt: readonly (readonly [string, string, object, string])[] = [
  ['POST', repositories, newRepository('web', { syncIntervall: '5m' }), 'syncIntervall'],
  ['POST', repositories, newRepository('web', { tagSelector: { globb: '1.*' } }), 'globb'],
  ['POST', repositories, newRepository('web', { registryRef: { name: 'hub', nameSpace: 'x' } }), 'nameSpace'],
  ['POST', repositories, newRepository('web', { verification: { publickey: 'x' } }), 'publickey'],
  ['POST', secrets, newSecret('hub', { insecur: true }), 'insecur'],
  ['POST', '/edge-sites', newSite({ bandwith: 5 }), 'bandwith'],
  ['POST', '/edge-sites', newSite({ registry: { domain: 'a.example', insecur: true } }), 'insecur'],
  ['PATCH', `${repositories}/old`, { spec: { tagSelector: { globb: '1.*' } } }, 'globb'],
  ['PATCH', '/edge-sites/old', { spec: { bandwith: 5 } }, 'bandwith'],
  ['POST', `${repositories}/old/rollback`, { site: ['harbour'] }, 'site'],
  ['POST', `${repositories}/old/release`, { tags: '1.27' }, 'tags'],
  ['POST', '/sites/old/bundles', { kinds: 'full' }, 'kinds'],
  ['POST', '/namespaces/default/image-cleanup-policies/old/restore', { tag: ['1.27'] }, 'tag'],
];
for (const [method, path, body, field] of misspelt) {
  test(`${method} ${path} with a field ${field} that there is not is refused, and names it`, async () => {
    const { call, cluster } = inProcessApi();
    const response = await call(method, path, body);
    const status = JSON.parse(await response.text());
    assert.deepEqual([response.status, status.details.code], [400, 'InvalidRequest']);
    assert.ok(status.message.includes(`"${field}"`), status.message);
    for (const kind of ['repositories', 'registrysecrets', 'edgesites'] as const)
      assert.deepEqual(cluster.cache(kind).list(), []);
  });
}

test('what kubectl writes beside the spec may come along', async () => {
  const { call } = inProcessApi();
  const come = {
    metadata: {
      name: 'web',
      labels: { team: 'shop' },
      managedFields: [{ manager: 'kubectl' }],
      creationTimestamp: '2026-01-01T00:00:00Z',
      resourceVersion: '7',
    },
    status: { syncStatus: 'Success' },
  };
  assert.equal((await call('POST', repositories, { ...newRepository('web'), ...come })).status, 201);
  assert.equal((await call('POST', secrets, { ...newSecret('web'), ...come })).status, 201);
  assert.equal((await call('POST', '/edge-sites', { ...newSite({}), ...come })).status, 201);
});

const document = JSON.parse(readFileSync(join(import.meta.dirname, '../../api/openapi.json'), 'utf8'));
for (const name of ['NewRepositorySpec', 'NewRegistrySecretSpec', 'NewEdgeSiteSpec']) {
  test(`the OpenAPI document says that ${name} has no other fields, and answers may get more`, () => {
    assert.equal(document.components.schemas[name].additionalProperties, false);
    assert.equal(document.components.schemas[name.replace('New', '')].additionalProperties, undefined);
  });
}
