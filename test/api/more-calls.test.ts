import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure } from '../../domain/failure.ts';
import { inProcessApi, newRepository, newSecret, type InProcessApi } from '../support/api-in-process.ts';

const secrets = '/namespaces/default/registry-secrets';
const repositories = '/namespaces/default/repositories';
const json = async (response: Response) => JSON.parse(await response.text());

const site = (name: string) => ({
  metadata: { name },
  spec: { registry: { domain: 'registry.site.example' } },
});

async function withObjects(): Promise<InProcessApi> {
  const api = inProcessApi();
  await api.call('POST', secrets, newSecret('hub'));
  await api.call('POST', repositories, newRepository('nginx'));
  await api.call('POST', '/edge-sites', site('harbour'));
  return api;
}

test('display name, description, owner and support contact can be edited, and removed', async () => {
  const { call } = await withObjects();
  const edit = {
    displayName: '网关',
    owner: 'team-a',
    metadata: { annotations: { 'theriseunion.io/support-contact': 'x@y' } },
  };
  const edited = await json(await call('PATCH', `${repositories}/nginx`, edit));
  assert.deepEqual(edited.metadata.annotations, {
    'theriseunion.io/display-name': '网关',
    'theriseunion.io/owner': 'team-a',
    'theriseunion.io/support-contact': 'x@y',
  });
  const merge = { 'content-type': 'application/merge-patch+json' };
  const removed = await json(await call('PATCH', `${repositories}/nginx`, { owner: null }, merge));
  assert.equal(removed.metadata.annotations['theriseunion.io/owner'], undefined);
});

const editRows: readonly (readonly [string, string, object, string])[] = [
  ['the path of an image', `${repositories}/nginx`, { spec: { repository: 'other' } }, 'Immutable'],
  ['the tag of an image', `${repositories}/nginx`, { spec: { tag: 'v2' } }, 'Immutable'],
  ['a password', `${secrets}/hub`, { spec: { password: 'canary-password' } }, 'Immutable'],
  [
    'an annotation of ours',
    `${secrets}/hub`,
    { metadata: { annotations: { 'theriseunion.io/verify-status': 'success' } } },
    'InvalidRequest',
  ],
  ['a field that does not exist', `${repositories}/nginx`, { spec: { nope: 1 } }, 'InvalidRequest'],
  [
    'an interval that is none',
    `${repositories}/nginx`,
    { spec: { syncInterval: 'often' } },
    'InvalidDuration',
  ],
];
for (const [what, path, body, code] of editRows) {
  test(`${what} cannot be edited`, async () => {
    const { call } = await withObjects();
    const response = await call('PATCH', path, body);
    const text = await response.text();
    assert.equal(response.status, 400);
    assert.equal(JSON.parse(text).details.code, code);
    assert.ok(!text.includes('canary-password'));
  });
}

test('how an image is synced can be edited', async () => {
  const { call } = await withObjects();
  const edited = await json(
    await call('PATCH', `${repositories}/nginx`, { spec: { syncInterval: '30m', suspend: true } }),
  );
  assert.deepEqual([edited.spec.syncInterval, edited.spec.suspend, edited.spec.tag], ['30m', true, '1.27']);
});

test('sites are declared, listed, edited and forgotten, but not while an image names them', async () => {
  const { call } = await withObjects();
  assert.equal((await json(await call('GET', '/edge-sites'))).totalItems, 1);
  const edited = await json(
    await call('PATCH', '/edge-sites/harbour', { spec: { priority: 5 }, description: 'north' }),
  );
  assert.deepEqual([edited.spec.priority, edited.spec.registry.domain], [5, 'registry.site.example']);
  await call('POST', repositories, newRepository('for-site', { sites: ['harbour'] }));
  assert.equal((await call('DELETE', '/edge-sites/harbour')).status, 409);
  assert.equal((await call('DELETE', `${repositories}/for-site`)).status, 204);
  assert.equal((await call('DELETE', '/edge-sites/harbour')).status, 204);
  assert.equal((await call('POST', '/edge-sites', site('Bad_Name'))).status, 400);
});

test('history tells how long each sync took and where its workflow is', async () => {
  const { cluster, call } = inProcessApi({
    workflowUrl: (id, run) => `http://ui/${encodeURIComponent(id)}/${run}`,
  });
  await call('POST', repositories, newRepository('nginx'));
  const record = {
    id: '1',
    trigger: 'manual',
    result: 'Success',
    started: '2026-01-01T00:00:00Z',
    ended: '2026-01-01T00:00:01.500Z',
    bytesMoved: 5,
    bytesReused: 7,
    workflowId: 'sync/default/nginx',
    runId: 'r1',
  } as const;
  const versions = [{ tag: '1.27', digest: 'sha256:0', seen: '2026-01-01T00:00:00Z' }];
  await cluster
    .resource('repositories')
    .applyStatus({ namespace: 'default', name: 'nginx' }, '', { history: [record], versions });
  const history = await json(await call('GET', `${repositories}/nginx/history`));
  assert.deepEqual([history.kind, history.totalItems], ['SyncRecordList', 1]);
  assert.deepEqual(
    [history.items[0].milliseconds, history.items[0].workflowUrl],
    [1500, 'http://ui/sync%2Fdefault%2Fnginx/r1'],
  );
  assert.equal((await json(await call('GET', `${repositories}/nginx/versions`))).items[0].digest, 'sha256:0');
  assert.equal((await call('GET', `${repositories}/none/history`)).status, 404);
});

test('progress is told as it happens, and its end too', async () => {
  const { cluster, call } = await withObjects();
  const response = await call('GET', `${repositories}/nginx/progress`);
  assert.match(response.headers.get('content-type') ?? '', /^text\/event-stream/);
  assert.ok(response.body);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  const next = async () => (await reader.read()).value ?? '';
  assert.match(await next(), /"syncStatus":""/);
  const key = { namespace: 'default', name: 'nginx' };
  await cluster.resource('repositories').applyStatus(key, '', { syncStatus: 'Syncing', syncProgress: '42%' });
  assert.match(await next(), /event: progress\ndata: .*"42%"/);
  await call('DELETE', `${repositories}/nginx`);
  assert.match(await next(), /event: gone/);
  assert.equal((await reader.read()).done, true);
});

test('search finds images by name, alias, path, tag and status, and filters by exact values', async () => {
  const { call, cluster } = await withObjects();
  await call('POST', repositories, newRepository('db', { repository: 'library/postgres', tag: '17' }));
  await call('PATCH', `${repositories}/db`, { displayName: '数据库' });
  await cluster
    .resource('repositories')
    .applyStatus({ namespace: 'default', name: 'db' }, '', { syncStatus: 'Failed', domain: 'hub.example' });
  const found = async (query: string) =>
    (await json(await call('GET', `${repositories}?${query}`))).items.map(
      (item: { metadata: { name: string } }) => item.metadata.name,
    );
  for (const query of [
    'search=postgres',
    'search=PG',
    'search=17',
    'search=failed',
    'search=hub.example',
    'name=postgres',
    `name=${encodeURIComponent('数据')}`,
    'status=Failed',
    'tag=17',
    'search=library+17',
    'domain=hub.example',
  ]) {
    assert.deepEqual(await found(query), query === 'search=PG' ? [] : ['db'], query);
  }
  assert.deepEqual(await found('registry=hub'), ['db', 'nginx']);
  assert.deepEqual(await found('name=17'), []);
});

test('namespaces that hold something of ours are told with how much', async () => {
  const api = inProcessApi();
  await api.call('POST', '/namespaces/a/registry-secrets', newSecret('hub'));
  await api.call('POST', '/namespaces/a/repositories', newRepository('one'));
  await api.call('POST', '/namespaces/a/repositories', newRepository('two'));
  await api.call('POST', '/namespaces/b/registry-secrets', newSecret('hub'));
  const { items } = (await (await api.call('GET', '/namespaces')).json()) as { items: object[] };
  assert.deepEqual(items, [
    { name: 'a', images: 2, registrySecrets: 1 },
    { name: 'b', images: 0, registrySecrets: 1 },
  ]);
});

test('the nodes of a site are told to pull from its registry first, and an unknown site is 404', async () => {
  const { call } = await withObjects();
  await call('PATCH', '/edge-sites/harbour', { spec: { default: true } });
  const { files } = await json(await call('GET', '/edge-sites/harbour/containerd'));
  assert.match(files[0].path, /\/hosts\.toml$/);
  assert.match(files[0].content, /\[host\."https:\/\/registry\.site\.example"\]/);
  assert.equal((await call('GET', '/edge-sites/nowhere/containerd')).status, 404);
});

test('an edit that names a field which cannot be edited is refused, not answered as done', async () => {
  const { call } = inProcessApi();
  await call('POST', repositories, newRepository('app'));
  const edited = await call('PATCH', `${repositories}/app`, { tag: '2' });
  assert.equal(edited.status, 400);
  assert.match(await edited.text(), /tag/);
  const whole = {
    apiVersion: 'x/v1',
    kind: 'Repository',
    metadata: { annotations: {} },
    status: {},
    owner: 'me',
  };
  assert.equal((await call('PATCH', `${repositories}/app`, whole)).status, 200);
});

for (const [silenceMs, status, words] of [
  [1000, 200, /harbor\.example\.com; no answer within \d+ s/],
  [120_000, 503, /no worker has been heard of for 120 s/],
] as const) {
  test(`a stored connection that is not tested in time answers ${status} where the worker is silent for ${silenceMs} ms`, async () => {
    const { call, cluster } = inProcessApi({ workerSilenceMs: () => silenceMs });
    await call('POST', '/namespaces/default/registry-secrets', newSecret('hub'));
    cluster.fail.awaitVerify = new Failure('Timeout', { subject: 'verify/default/hub' });
    const response = await call('POST', '/namespaces/default/registry-secrets/hub/verify', {});
    const { message } = await json(response);
    assert.equal(response.status, status);
    assert.match(message, words);
    assert.doesNotMatch(message, /verify\//);
  });
}
