import assert from 'node:assert/strict';
import { test } from 'node:test';
import { base, inProcessApi, newRepository, newSecret } from '../support/api-in-process.ts';
import { Failure } from '../../domain/failure.ts';

const secrets = '/namespaces/default/registry-secrets';
const repositories = '/namespaces/default/repositories';

const json = async (response: Response) => JSON.parse(await response.text());

test('a registry secret is created, listed, read and deleted, and never shows its password', async () => {
  const { call, cluster } = inProcessApi();
  const created = await call('POST', secrets, newSecret('hub'));
  assert.equal(created.status, 201);
  const texts = [await created.text()];
  for (const path of [secrets, `${secrets}/hub`, '/namespaces/_all_/registry-secrets']) {
    const response = await call('GET', path);
    assert.equal(response.status, 200);
    texts.push(await response.text());
  }
  for (const text of texts) {
    assert.ok(!text.includes('canary-password'));
    assert.ok(text.includes('<encrypted>'));
  }
  const stored = cluster.cache('registrysecrets').get({ namespace: 'default', name: 'hub' });
  assert.equal(stored?.spec.password, '<encrypted>');
  assert.equal(stored?.metadata.annotations?.['theriseunion.io/verify-status'], 'untested');
  assert.deepEqual(cluster.credentialsStored.get('default/hub'), {
    username: 'u',
    password: 'canary-password',
  });
  assert.equal((await call('DELETE', `${secrets}/hub`)).status, 204);
  assert.equal((await call('GET', `${secrets}/hub`)).status, 404);
  assert.ok(cluster.events.some((event) => event.includes('CreateRegistrySecret RegistrySecret/hub: admin')));
});

test('a registry secret whose credential cannot be stored is taken back', async () => {
  const { call, cluster } = inProcessApi();
  cluster.fail.storeCredential = new Failure('ClusterUnavailable', { side: 'cluster' });
  const response = await call('POST', secrets, newSecret('hub'));
  assert.equal(response.status, 503);
  assert.equal(cluster.cache('registrysecrets').list().length, 0);
});

test("kubectl's copy of the whole object, which would hold the password, is not stored", async () => {
  const { call, cluster } = inProcessApi();
  const body = newSecret('hub');
  const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify(body) };
  await call('POST', secrets, { ...body, metadata: { ...body.metadata, annotations } });
  assert.ok(!JSON.stringify(cluster.cache('registrysecrets').list()).includes('canary-password'));
});

test('a registry secret in use is deleted only by force', async () => {
  const { call } = inProcessApi();
  await call('POST', secrets, newSecret('hub'));
  await call('POST', repositories, newRepository('nginx'));
  const refused = await call('DELETE', `${secrets}/hub`);
  assert.equal(refused.status, 409);
  const status = await json(refused);
  assert.equal(status.details.code, 'InUse');
  assert.match(status.message, /default\/nginx/);
  assert.equal((await call('DELETE', `${secrets}/hub?force=true`)).status, 204);
});

const refusedBodies: readonly (readonly [string, string, unknown, number, string, RegExp])[] = [
  [
    'a scheme in the domain',
    secrets,
    newSecret('a', { domain: 'https://h' }),
    400,
    'InvalidDomain',
    /scheme/,
  ],
  ['a path in the domain', secrets, newSecret('a', { domain: 'h/v2/' }), 400, 'InvalidDomain', /path/],
  ['a missing password', secrets, newSecret('a', { password: undefined }), 400, 'InvalidRequest', /password/],
  ['an unknown provider', secrets, newSecret('a', { provider: 'nope' }), 400, 'InvalidRequest', /provider/],
  [
    'the stored form as password',
    secrets,
    newSecret('a', { password: '<encrypted>' }),
    400,
    'InvalidRequest',
    /password/,
  ],
  ['a malformed name', secrets, newSecret('Not_A_Name'), 400, 'InvalidName', /name/],
  ['a name with a line break', secrets, newSecret('a\r\nb'), 400, 'InvalidName', /name/],
  [
    'a tag in the path',
    repositories,
    newRepository('a', { repository: 'a/b:v1' }),
    400,
    'InvalidRepository',
    /tag/,
  ],
  ['a malformed tag', repositories, newRepository('a', { tag: '-x' }), 400, 'InvalidTag', /tag/],
  ['a missing tag', repositories, newRepository('a', { tag: undefined }), 400, 'InvalidRequest', /tag/],
  [
    'a malformed interval',
    repositories,
    newRepository('a', { syncInterval: '1 hour' }),
    400,
    'InvalidDuration',
    /1h/,
  ],
  [
    'a secret of another namespace',
    repositories,
    newRepository('a', { registryRef: { name: 'x', namespace: 'other' } }),
    403,
    'SecretRefRefused',
    /other\/x/,
  ],
  [
    'another namespace in the body',
    repositories,
    { ...newRepository('a'), metadata: { name: 'a', namespace: 'other' } },
    400,
    'InvalidRequest',
    /namespace/,
  ],
  ['another kind', repositories, { ...newRepository('a'), kind: 'Pod' }, 400, 'InvalidRequest', /kind/],
  [
    'P10: duplicate keys',
    repositories,
    '{"metadata":{"name":"a"},"metadata":{"name":"b"}}',
    400,
    'InvalidRequest',
    /body/,
  ],
  ['P10: __proto__', repositories, '{"__proto__":{"x":1}}', 400, 'InvalidRequest', /body/],
  ['P10: depth 10,000', repositories, '['.repeat(10_000), 400, 'InvalidRequest', /body/],
  ['P10: 1 MiB and one byte', repositories, `"${'x'.repeat(1_048_575)}"`, 413, 'PayloadTooLarge', /large/],
  ['no JSON', repositories, 'nope', 400, 'InvalidRequest', /body/],
];

for (const [what, path, body, status, code, words] of refusedBodies) {
  test(`${what} is refused with ${status} and a Status that says so`, async () => {
    const { call, cluster } = inProcessApi();
    const response = await call('POST', path, body);
    assert.equal(response.status, status);
    const answer = await json(response);
    assert.deepEqual(
      {
        apiVersion: answer.apiVersion,
        kind: answer.kind,
        metadata: answer.metadata,
        status: answer.status,
        code: answer.code,
      },
      { apiVersion: 'v1', kind: 'Status', metadata: {}, status: 'Failure', code: status },
    );
    assert.equal(answer.details.code, code);
    assert.equal(answer.details.kind, path === secrets ? 'RegistrySecret' : 'Repository');
    assert.match(answer.message, words);
    assert.match(answer.details.messages.zh, /[\u4e00-\u9fff]/);
    assert.equal(
      cluster.cache('repositories').list().length + cluster.cache('registrysecrets').list().length,
      0,
    );
  });
}

test('P10: a body of another type, or a compressed one, is refused with 415', async () => {
  const { call } = inProcessApi();
  for (const headers of [{ 'content-type': 'text/plain' }, { 'content-encoding': 'gzip' }]) {
    assert.equal((await call('POST', repositories, newRepository('a'), headers)).status, 415);
  }
});

test('what exists already is a conflict', async () => {
  const { call } = inProcessApi();
  await call('POST', repositories, newRepository('a'));
  const response = await call('POST', repositories, newRepository('a'));
  assert.equal(response.status, 409);
  assert.equal((await json(response)).reason, 'AlreadyExists');
});

test('errors speak Chinese to those who read it', async () => {
  const { call } = inProcessApi();
  const response = await call('GET', `${secrets}/none`, undefined, {
    'accept-language': 'zh-CN,zh;q=0.9,en;q=0.8',
  });
  const status = await json(response);
  assert.match(status.message, /资源不存在/);
  assert.deepEqual(
    [status.reason, status.details.name, status.details.kind],
    ['NotFound', 'none', 'RegistrySecret'],
  );
});

test('pages are cut from the sorted list and count all that match', async () => {
  const { call } = inProcessApi();
  for (const name of ['c', 'a', 'b', 'd', 'e'])
    await call('POST', repositories, newRepository(name, { tag: `v-${name}` }));
  const page = await json(await call('GET', `${repositories}?page=2&limit=2`));
  assert.deepEqual([page.kind, page.totalItems], ['RepositoryList', 5]);
  assert.deepEqual(
    page.items.map((item: { metadata: { name: string } }) => item.metadata.name),
    ['c', 'd'],
  );
  const last = await json(await call('GET', `${repositories}?page=9`));
  assert.deepEqual([last.items.length, last.totalItems], [0, 5]);
  const descending = await json(await call('GET', `${repositories}?sort=-tag&limit=1`));
  assert.equal(descending.items[0].metadata.name, 'e');
});

test('P15: a limit beyond 500 is cut; garbage is refused', async () => {
  const { call } = inProcessApi();
  assert.equal((await call('GET', `${repositories}?limit=1000000000`)).status, 200);
  for (const query of [
    'limit=-1',
    'limit=x',
    'limit=0',
    'page=0',
    'page=1.5',
    'sort=nope',
    'page=1&page=2',
  ]) {
    assert.equal((await call('GET', `${repositories}?${query}`)).status, 400, query);
  }
});

test('the stored credential is tested by its workflow, a given one directly', async () => {
  const seen: string[] = [];
  const { call } = inProcessApi({
    verifier: {
      verify: async (access) => {
        seen.push(`${access.domain} ${access.credential?.username}`);
        throw new Failure('Unauthorized', { side: 'source' });
      },
    },
  });
  await call('POST', secrets, newSecret('hub'));
  const stored = await json(await call('POST', `${secrets}/hub/verify`, {}, { 'accept-language': 'zh' }));
  assert.deepEqual(
    [stored.success, stored.message, stored.workflowId],
    [true, '连接成功', 'verify/default/hub'],
  );
  assert.equal((await call('POST', `${secrets}/hub/verify`)).status, 200);
  const body = { domain: 'r.example.com', username: 'someone', password: 'canary-password' };
  const given = await call('POST', `${secrets}/not-yet-saved/verify`, body);
  assert.equal(given.status, 200);
  const text = await given.text();
  assert.ok(text.includes('"success":false') && !text.includes('canary'));
  assert.deepEqual(seen, ['r.example.com someone']);
  assert.equal((await call('POST', `${secrets}/hub/verify`, { domain: 'evil.example' })).status, 400);
  assert.equal((await call('POST', `${secrets}/none/verify`, {})).status, 404);
});

test('sync answers with the workflow that runs', async () => {
  const { call } = inProcessApi();
  await call('POST', repositories, newRepository('nginx'));
  const answer = await json(await call('POST', `${repositories}/nginx/sync`));
  assert.deepEqual([answer.success, answer.workflowId], [true, 'sync/default/nginx']);
  assert.ok(answer.message.length > 0);
  assert.equal((await call('POST', `${repositories}/none/sync`)).status, 404);
});

test('an Event that cannot be written does not fail what was done', async () => {
  const { call, cluster } = inProcessApi();
  cluster.fail.record = new Failure('ClusterUnavailable');
  assert.equal((await call('POST', repositories, newRepository('nginx'))).status, 201);
});

test('what breaks inside is a 500 without a word of it', async () => {
  const { call, cluster } = inProcessApi();
  cluster.fail.create = new Error('secret host 10.0.0.1 broke') as Failure;
  const response = await call('POST', repositories, newRepository('nginx'));
  const text = await response.text();
  assert.equal(response.status, 500);
  assert.ok(!text.includes('10.0.0.1') && text.length < 2048);
});

test('answers carry a request id and headers that keep browsers in check', async () => {
  const { app } = inProcessApi();
  const response = await app.request(`${base}/nothing`, { headers: { 'x-request-id': 'my-request-7' } });
  assert.equal(response.status, 401);
  assert.equal(response.headers.get('x-request-id'), 'my-request-7');
  assert.equal(response.headers.get('x-content-type-options'), 'nosniff');
  assert.equal(response.headers.get('cache-control'), 'no-store');
  const forged = await app.request('/healthz', { headers: { 'x-request-id': 'a"}{"b' } });
  assert.match(forged.headers.get('x-request-id') ?? '', /^[0-9a-f-]{36}$/);
});

test('a method that a path does not take is 405 and says which it takes', async () => {
  const { call } = inProcessApi();
  const response = await call('PUT', `${repositories}/nginx`, {});
  assert.equal(response.status, 405);
  assert.equal(response.headers.get('allow'), 'GET, DELETE, PATCH');
  assert.equal((await json(response)).reason, 'MethodNotAllowed');
});
