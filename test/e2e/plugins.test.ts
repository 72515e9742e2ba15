import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { call, freshNamespace } from '../support/api-client.ts';
import { until } from '../support/live-sync.ts';
import { endpoints } from '../support/stack.ts';

const { registries, tokens } = endpoints();
let ns = '';
before(async () => {
  ns = await freshNamespace('plugins');
});
const as = (method: string, path: string, body?: unknown) => call(tokens.admin, method, path, body);

test('a registry of a plug-in’s kind is taken, and checked by the plug-in in the worker', async () => {
  const spec = { ...registries.upstream, provider: 'team-registry' };
  const made = await as('POST', `/namespaces/${ns}/registry-secrets`, { metadata: { name: 'team' }, spec });
  assert.equal(made.status, 201, made.text);
  const status = await until('the verification', async () => {
    const { json } = await as('GET', `/namespaces/${ns}/registry-secrets/team`);
    return json.metadata.annotations['theriseunion.io/verify-status'] === 'success' ? json.status : undefined;
  });
  assert.ok(status.capabilities.length >= 0, JSON.stringify(status));
});

test('what the plug-in refuses is told in its own words, by the API at once', async () => {
  const body = { ...registries.upstream, username: 'jane@example.com', provider: 'team-registry' };
  const answered = await as('POST', `/namespaces/${ns}/registry-secrets/team/verify`, body);
  assert.deepEqual([answered.status, answered.json.success], [200, false], answered.text);
  assert.match(answered.json.message, /jane@example\.com is a person: use a robot account/);
});

test('a kind that no plug-in has is refused, and the kinds that there are are named', async () => {
  const spec = { ...registries.upstream, provider: 'nobody' };
  const refused = await as('POST', `/namespaces/${ns}/registry-secrets`, { metadata: { name: 'x' }, spec });
  assert.equal(refused.status, 400);
  assert.match(refused.text, /harbor, dockerhub, aliyun, other, team-registry/);
});
