import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure } from '../../domain/failure.ts';
import { inProcessApi, newRepository, newSecret, type InProcessApi } from '../support/api-in-process.ts';

const repositories = '/namespaces/default/repositories';
const secrets = '/namespaces/default/registry-secrets';
const json = async (response: Response) => JSON.parse(await response.text());

async function audit(
  api: InProcessApi,
  query = '',
): Promise<{ stage: string; verb: string; [key: string]: unknown }[]> {
  return (await json(await api.call('GET', `/audit?limit=500&${query}`))).items.toReversed();
}

test('every changing call has an intent and an outcome with who, what, from where and how it ended', async () => {
  const api = inProcessApi();
  await api.call('POST', secrets, newSecret('hub'), { 'user-agent': 'curl/8' });
  await api.call('POST', `${secrets}/hub/verify`, {});
  await api.call('POST', repositories, newRepository('nginx'));
  await api.call('POST', `${repositories}/nginx/sync`);
  await api.call('DELETE', `${repositories}/none`);
  const records = await audit(api);
  assert.deepEqual(
    records.map(({ stage, verb }) => `${stage} ${verb}`),
    ['create', 'verify', 'create', 'sync']
      .flatMap((verb) => [`Requested ${verb}`, `Completed ${verb}`])
      .concat('Requested delete', 'Failed delete'),
  );
  const [first, , , , , , , synced] = records;
  assert.deepEqual(first?.['actor'], { name: 'admin', uid: 'uid-admin' });
  assert.deepEqual(first?.['object'], { resource: 'registrysecrets', namespace: 'default', name: 'hub' });
  assert.deepEqual([first?.['userAgent'], first?.['source']], ['curl/8', 'in-process']);
  assert.deepEqual(synced?.['workflow'], { id: 'sync/default/nginx', runId: 'run' });
  assert.deepEqual(records.at(-1)?.['outcome'], { code: 404, reason: 'NotFound' });
  assert.ok(![...api.audit.stored.values()].join('').includes('canary-password'));
});

test('Q05: while the log cannot be written, deleting is refused, reading goes on, the rest is written later', async () => {
  const api = inProcessApi();
  await api.call('POST', repositories, newRepository('kept'));
  api.audit.down = true;
  const refused = await api.call('DELETE', `${repositories}/kept`);
  assert.equal(refused.status, 503);
  assert.equal((await json(refused)).details.code, 'AuditUnavailable');
  assert.equal((await api.call('GET', `${repositories}/kept`)).status, 200);
  assert.equal((await api.call('POST', repositories, newRepository('later'))).status, 201);
  api.audit.down = false;
  assert.equal((await api.call('DELETE', `${repositories}/kept`)).status, 204);
  const records = await audit(api, 'name=later');
  assert.deepEqual(
    records.map(({ stage }) => stage),
    ['Requested', 'Completed'],
  );
});

test('Q10: refusals are recorded, and counted where they come too fast', async () => {
  let now = Date.now() - 120_000;
  const api = inProcessApi({ now: () => new Date(now), rateLimits: { perSecond: 1e6, burst: 1e6 } });
  api.access.allow = (_, question) => question.resource === 'auditrecords';
  for (let number = 0; number < 150; number += 1) {
    assert.equal((await api.call('GET', repositories)).status, 403);
  }
  now += 60_000;
  await api.call('GET', repositories);
  now = Date.now();
  const records = await audit(api, 'stage=Denied');
  assert.equal(records.length, 101);
  assert.equal(records.at(-1)?.['repeated'], 50);
});

test('the log can be filtered and exported', async () => {
  const api = inProcessApi();
  for (const name of ['a', 'b', 'c']) await api.call('POST', repositories, newRepository(name));
  assert.equal((await audit(api, 'name=b')).length, 2);
  assert.equal((await audit(api, 'stream=api')).length, 6);
  assert.equal((await audit(api, 'stream=worker')).length, 0);
  assert.equal((await audit(api, 'verb=delete')).length, 0);
  assert.equal((await audit(api, 'user=nobody')).length, 0);
  assert.equal((await audit(api, 'since=2099-01-01T00:00:00Z')).length, 0);
  const response = await api.call('GET', '/audit?format=ndjson&stage=Completed');
  assert.equal(response.headers.get('content-type'), 'application/x-ndjson');
  const lines = (await response.text()).trimEnd().split('\n');
  assert.deepEqual(
    lines.map((line) => JSON.parse(line).object.name),
    ['a', 'b', 'c'],
  );
  assert.equal((await api.call('GET', '/audit?since=yesterday')).status, 400);
});

test('a failure of the cluster is recorded as the outcome', async () => {
  const api = inProcessApi();
  api.cluster.fail.create = new Failure('ClusterUnavailable', { side: 'cluster' });
  await api.call('POST', repositories, newRepository('a'));
  assert.deepEqual((await audit(api)).at(-1)?.['outcome'], { code: 503, reason: 'ClusterUnavailable' });
});
