import assert from 'node:assert/strict';
import { after, beforeEach, test } from 'node:test';
import { parseRegistryDomain } from '../../../domain/names/registry-domain.ts';
import { parseRepositoryPath } from '../../../domain/names/repository-path.ts';
import type { RegistryAccess } from '../../../infra/copy/engine.ts';
import { RegistryClients } from '../../../infra/registry/registry-client.ts';
import { createSiteRegistry } from '../../../infra/registry/site-registry.ts';
import { HarborDouble, harborAccounts } from '../../support/harbor-double.ts';
import { answers } from '../../support/misbehaving-registry/behaviours.ts';
import { sampleImage } from '../../support/misbehaving-registry/images.ts';
import { Trace } from '../../support/misbehaving-registry/trace.ts';

const clients = new RegistryClients({ headersTimeoutMs: 1500 });
const registries = createSiteRegistry(clients);
const doubles: HarborDouble[] = [];
let harbor: HarborDouble;

beforeEach(async () => {
  harbor = await new HarborDouble(new Trace()).listen();
  doubles.push(harbor);
});
after(async () => {
  await clients.close();
  for (const double of doubles) await double.close();
});

const access = (
  account: keyof typeof harborAccounts,
  more: Partial<RegistryAccess> = {},
): RegistryAccess => ({
  domain: parseRegistryDomain(harbor.host),
  provider: 'harbor',
  credential: harborAccounts[account],
  ...more,
});

test('Harbor is asked to collect its garbage, untagged artifacts only where the site says so', async () => {
  assert.equal(await registries.collectGarbage(access('admin')), 'asked');
  assert.equal(await registries.collectGarbage(access('admin', { gcDeletesUntagged: true })), 'asked');
  assert.deepEqual(harbor.collections, [{ delete_untagged: false }, { delete_untagged: true }]);
  harbor.collecting = true;
  assert.equal(await registries.collectGarbage(access('admin')), 'running');
});

test('a robot may not start a collection, and a plain registry has no API for it: both are answers', async () => {
  assert.equal(await registries.collectGarbage(access('robot')), 'refused');
  assert.equal(await registries.collectGarbage(access('admin', { provider: 'other' })), 'unsupported');
  assert.equal(harbor.trace.count('POST', '/api/'), 1);
});

test('last pulls come from every page of a nested repository; year 1 means never', async () => {
  const path = parseRepositoryPath('edge/base/nginx');
  for (let index = 0; index < 205; index += 1) harbor.hold(path, sampleImage(`h${index}`), `v${index}`);
  const digest = harbor.repository(path).tags.get('v150') ?? '';
  harbor.pulls.set(digest, Date.UTC(2026, 1, 2));
  const pulls = await registries.lastPulls({ registry: access('robot'), path });
  assert.deepEqual([...pulls], [[digest, Date.UTC(2026, 1, 2)]]);
  const asked = harbor.trace.entries.filter(({ path: url }) => url.includes('/artifacts'));
  assert.equal(asked.length, 3);
  assert.ok(asked.every(({ path: url }) => url.includes('/projects/edge/repositories/base%252Fnginx/')));
});

for (const [what, body] of [
  ['no list', '{}'],
  ['no digest', '[{"pull_time":"0001-01-01T00:00:00Z"}]'],
  ['no time', '[{"digest":"sha256:00","pull_time":"yesterday"}]'],
  ['a web page', '<html>'],
] as const) {
  test(`an answer that is ${what} is a failure, not "never pulled"`, async () => {
    harbor.script({ path: '/artifacts' }, answers({ status: 200, body }));
    const path = parseRepositoryPath('edge/nginx');
    await assert.rejects(registries.lastPulls({ registry: access('robot'), path }));
  });
}
