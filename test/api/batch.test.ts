import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inProcessApi, newRepository, newSecret } from '../support/api-in-process.ts';

const json = async (response: Response) => JSON.parse(await response.text());
const path = '/namespaces/default/batch';

test('a batch creates credentials at once and leaves the rest to its workflow, without a password', async () => {
  const { call, cluster } = inProcessApi();
  const items = [newSecret('hub'), newRepository('a'), newRepository('b')];
  const answer = await json(await call('POST', path, { operation: 'create', items }));
  assert.deepEqual([answer.total, answer.accepted, answer.refused, answer.dryRun], [3, 3, 0, false]);
  assert.deepEqual(
    answer.results.map((r: { result: string }) => r.result),
    ['Done', 'Waiting', 'Waiting'],
  );
  assert.equal(cluster.credentialsStored.get('default/hub')?.password, 'canary-password');
  const response = await call('GET', `/namespaces/default/batches/${answer.id}`);
  const text = await response.text();
  assert.ok(!text.includes('canary-password'));
  assert.equal(JSON.parse(text).total, 2);
});

test('a dry run tells of every item and does nothing', async () => {
  const { call, cluster } = inProcessApi();
  await call('POST', '/namespaces/default/repositories', newRepository('there'));
  const items = [
    newRepository('there'),
    newRepository('new'),
    newRepository('new'),
    newRepository('bad', { repository: 'a:b' }),
    newSecret('s', { domain: 'https://x' }),
  ];
  const answer = await json(await call('POST', `${path}?dryRun=true`, { operation: 'create', items }));
  assert.deepEqual(
    answer.results.map((r: { result: string; reason?: string }) => r.reason ?? r.result),
    ['AlreadyExists', 'RegistrySecretNotFound', 'InvalidRequest', 'InvalidRepository', 'InvalidDomain'],
  );
  assert.equal(answer.id, undefined);
  assert.equal(cluster.cache('repositories').list().length, 1);
});

test('a field that there is not is refused, and a registry that is not there is told of', async () => {
  const { call } = inProcessApi();
  const items = [
    newSecret('hub'),
    newRepository('good'),
    newRepository('misspelt', { syncTimout: '5m' }),
    newRepository('alone', { registryRef: { name: 'hub', namespace: 'default' } }),
    newRepository('nowhere', { registryRef: { name: 'hubb' } }),
  ];
  const { results, accepted } = await json(
    await call('POST', `${path}?dryRun=true`, { operation: 'create', items }),
  );
  const told = results.map(({ result, reason }: Record<string, string>) => [result, reason]);
  assert.deepEqual(told, [
    ['Waiting', undefined],
    ['Waiting', undefined],
    ['Refused', 'InvalidRequest'],
    ['Waiting', undefined],
    ['Waiting', 'RegistrySecretNotFound'],
  ]);
  assert.equal(accepted, 4);
  assert.match(results[2].message, /syncTimout/);
  assert.match(results[4].message, /default\/hubb/);
});

test('an error of YAML is told with its line, and without a word of the text', async () => {
  const { call } = inProcessApi();
  const text = 'kind: RegistrySecret\nspec:\n  password: [canary-password\n---\nkind: Repository\n';
  const answer = await (await call('POST', path, text, { 'content-type': 'application/yaml' })).text();
  assert.match(answer, /at line \d+, column \d+/);
  assert.ok(!answer.includes('canary'), answer);
});

test('many YAML documents are a batch', async () => {
  const { call } = inProcessApi();
  const yaml = ['a', 'b']
    .map(
      (name) => `apiVersion: image.theriseunion.io/v1alpha1
kind: Repository
metadata: { name: ${name} }
spec: { repository: library/nginx, tag: "1.27", registryRef: { name: hub } }
`,
    )
    .join('---\n');
  const headers = { 'content-type': 'application/yaml' };
  const answer = await json(await call('POST', `${path}?dryRun=true`, yaml, headers));
  assert.deepEqual([answer.total, answer.refused], [2, 0]);
  const bad = ['a: &x [1]\nb: *x', 'a: 1\na: 2', '{', 'kind: Pod\nmetadata: {name: x}', ''];
  for (const text of bad) assert.equal((await call('POST', path, text, headers)).status, 400, text);
});

test('P08: one forbidden item refuses the whole batch', async () => {
  const { call, access, cluster } = inProcessApi();
  access.allow = (_, question) => question.verb !== 'delete' || question.name !== 'b';
  for (const name of ['a', 'b']) await call('POST', '/namespaces/default/repositories', newRepository(name));
  const items = ['a', 'b'].map((name) => ({ metadata: { name } }));
  assert.equal((await call('POST', path, { operation: 'delete', items })).status, 403);
  assert.equal(cluster.cache('repositories').list().length, 2);
});

test('what is not there, in use, or of the wrong kind is refused item by item or at once', async () => {
  const { call } = inProcessApi();
  await call('POST', '/namespaces/default/registry-secrets', newSecret('hub'));
  await call('POST', '/namespaces/default/repositories', newRepository('nginx'));
  const secret = (name: string) => ({ kind: 'RegistrySecret', metadata: { name } });
  const answer = await json(
    await call('POST', path, {
      operation: 'delete',
      items: [secret('hub'), secret('none'), { metadata: { name: 'nginx' } }],
    }),
  );
  assert.deepEqual(
    answer.results.map((r: { reason?: string }) => r.reason),
    ['InUse', 'NotFound', undefined],
  );
  assert.equal((await call('POST', path, { operation: 'sync', items: [secret('hub')] })).status, 400);
  assert.equal(
    (
      await call('POST', path, {
        operation: 'sync',
        items: [{ metadata: { name: 'x', namespace: 'other' } }],
      })
    ).status,
    400,
  );
  assert.equal((await call('POST', path, { operation: 'create', items: [] })).status, 400);
});

test('a batch is shown to its starter and to those who may read its items; to others it does not exist', async () => {
  const { call, access } = inProcessApi();
  const items = [{ metadata: { name: 'a' }, spec: newRepository('a').spec }];
  const { id } = (await json(await call('POST', path, { operation: 'create', items }))) as { id: string };
  const as = (name: string) =>
    call('GET', `/namespaces/default/batches/${id}`, undefined, { authorization: `Bearer ${name}-token` });
  assert.equal((await as('admin')).status, 200);
  assert.equal((await as('colleague')).status, 200);
  access.allow = (caller, { verb }) => caller.username !== 'stranger' || verb === 'list';
  const hidden = await as('stranger');
  assert.equal(hidden.status, 404);
  assert.doesNotMatch(await hidden.text(), /admin/);
});
