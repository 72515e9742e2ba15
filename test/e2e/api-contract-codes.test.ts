import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { call, freshNamespace } from '../support/api-client.ts';
import { apiVersion, as, isStatus, repository, secret } from '../support/contract-client.ts';
import { endpoints } from '../support/stack.ts';

/** Section 4 of the contract: what holds for every call, pages and codes. */
const { tokens, registries } = endpoints();

let ns = '';
const at = (plural: string, rest = ''): string => `/namespaces/${ns}/${plural}${rest}`;
before(async () => {
  ns = await freshNamespace('api-rows');
  assert.equal((await as('POST', at('registry-secrets'), secret('hub'))).status, 201);
  const suspended = { suspend: true, syncTimeout: '5s', retryCount: 0 };
  for (let count = 10; count < 22; count += 1)
    assert.equal((await as('POST', at('repositories'), repository(`r-${count}`, suspended))).status, 201);
});

test('a page has 10 where limit is not said, the first where page is not, and none beyond the last', async () => {
  const page = async (query: string) => {
    const { json } = await as('GET', at('repositories', query));
    return [json.totalItems, json.items.length, json.items[0]?.metadata.name];
  };
  assert.deepEqual(await page(''), [12, 10, 'r-10']);
  assert.deepEqual(await page('?page=1'), [12, 10, 'r-10']);
  assert.deepEqual(await page('?page=2'), [12, 2, 'r-20']);
  assert.deepEqual(await page('?page=3'), [12, 0, undefined]);
  assert.deepEqual(await page('?limit=12'), [12, 12, 'r-10']);
});

test('a Repository is answered as it was posted, with its defaults said by the cluster', async () => {
  const { json } = await as('GET', at('repositories', '/r-10'));
  assert.deepEqual([json.apiVersion, json.kind, json.metadata.namespace], [apiVersion, 'Repository', ns]);
  assert.equal(json.spec.registryRef.name, 'hub');
  assert.match(json.metadata.creationTimestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
});

const calls = (): readonly (readonly [method: string, path: string, body?: unknown])[] => [
  ['POST', at('registry-secrets'), secret('x')],
  ['DELETE', at('registry-secrets', '/hub')],
  ['POST', at('registry-secrets', '/hub/verify'), {}],
  ['POST', at('repositories'), repository('x')],
  ['DELETE', at('repositories', '/r-10')],
  ['POST', at('repositories', '/r-10/sync')],
];

test('403: a viewer changes nothing, and is told so in a Status', async () => {
  for (const [method, path, body] of calls())
    isStatus(await call(tokens.viewer, method, path, body), 403, 'Forbidden');
  for (const path of [at('registry-secrets', '/hub'), at('repositories', '/r-10')])
    assert.equal((await call(tokens.viewer, 'GET', path)).status, 200);
});

test('401: no call of the contract works without a token', async () => {
  const reads = ['registry-secrets', 'registry-secrets/hub', 'repositories', 'repositories/r-10'];
  const all = [...calls(), ...reads.map((path) => ['GET', at(path)] as const)];
  for (const [method, path, body] of all)
    isStatus(await call(undefined, method, path, body), 401, 'Unauthorized');
});

test('400: what cannot be read is refused in a Status that names the object where there is one', async () => {
  const rows: readonly (readonly [method: string, path: string, body?: unknown])[] = [
    ['POST', at('repositories'), '{'],
    ['POST', at('repositories'), { ...repository('x'), kind: 'Pod' }],
    ['POST', at('repositories'), repository('x', { tag: undefined })],
    ['POST', at('registry-secrets'), secret('x', { password: undefined })],
    ['POST', at('registry-secrets', '/hub/verify'), { domain: registries.upstream.domain }],
    ['GET', at('repositories', '?page=x')],
    ['GET', at('registry-secrets', '?limit=-1')],
  ];
  for (const [method, path, body] of rows) isStatus(await as(method, path, body), 400, 'BadRequest');
  const { json } = await as('GET', at('repositories', '/not-there'));
  assert.deepEqual([json.details.name, json.details.kind], ['not-there', 'Repository']);
});

test('404: deleting or syncing what is not there', async () => {
  isStatus(await as('DELETE', at('repositories', '/not-there')), 404, 'NotFound');
  isStatus(await as('DELETE', at('registry-secrets', '/not-there')), 404, 'NotFound');
  isStatus(await as('GET', '/namespaces/no-such-namespace/repositories/x'), 404, 'NotFound');
});

test('answers are JSON, and 204 has no body', async () => {
  const got = await as('GET', at('repositories'));
  assert.match(got.headers.get('content-type') ?? '', /^application\/json/);
  const { status, text } = await as('DELETE', at('repositories', '/r-21'));
  assert.deepEqual([status, text], [204, '']);
});
