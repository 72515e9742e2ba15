import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CachedAccess } from '../../api/middleware/access-cache.ts';
import { RateLimiter } from '../../api/middleware/rate-limit.ts';
import { Failure } from '../../domain/failure.ts';
import { base, inProcessApi, newRepository, ScriptedAccess } from '../support/api-in-process.ts';

const list = `${base}/namespaces/default/repositories`;

const headerRows: readonly (readonly [string, Record<string, string>, number])[] = [
  ['no token', {}, 401],
  ['Basic', { authorization: 'Basic YTpi' }, 401],
  ['a lower-case scheme', { authorization: 'bearer admin-token' }, 401],
  ['an unknown token', { authorization: 'Bearer nobody' }, 401],
  ['two tokens in one header', { authorization: 'Bearer admin-token, Bearer admin-token' }, 400],
  ['a token of 64 KiB', { authorization: `Bearer ${'x'.repeat(65_536)}` }, 401],
  ['impersonation', { authorization: 'Bearer admin-token', 'impersonate-user': 'system:masters' }, 400],
  ['a remote user', { authorization: 'Bearer admin-token', 'x-remote-user': 'admin' }, 400],
];

for (const [what, headers, status] of headerRows) {
  test(`P01 P05: ${what} is answered with ${status}`, async () => {
    const { app, access } = inProcessApi();
    const response = await app.request(list, { headers });
    assert.equal(response.status, status);
    assert.equal(access.asked.length, 0);
    if (what !== 'an unknown token') assert.equal(access.authentications, 0);
  });
}

test('P03: where the cluster cannot tell, the answer is 503 with a time to wait, and nothing is done', async () => {
  const { call, access, cluster } = inProcessApi();
  access.failure = new Failure('AuthBackendUnavailable', { side: 'cluster' });
  const response = await call('POST', '/namespaces/default/repositories', newRepository('a'));
  assert.equal(response.status, 503);
  assert.equal(response.headers.get('retry-after'), '1');
  assert.equal(cluster.cache('repositories').list().length, 0);
});

test('a caller without the right is refused before anything is read', async () => {
  const { call, access } = inProcessApi();
  access.allow = () => false;
  const bodies = await Promise.all(
    ['there', 'not-there'].map(async (name) => {
      const response = await call('GET', `/namespaces/default/repositories/${name}`);
      assert.equal(response.status, 403);
      return (await response.text()).replaceAll(name, '').replaceAll(/"requestId":"[^"]*"/g, '');
    }),
  );
  assert.equal(bodies[0], bodies[1]);
});

test('a list over all namespaces asks for the right cluster-wide', async () => {
  const { call, access } = inProcessApi();
  access.allow = (_, question) => question.namespace === 'team-a';
  assert.equal((await call('GET', '/namespaces/team-a/repositories')).status, 200);
  assert.equal((await call('GET', '/namespaces/team-b/repositories')).status, 403);
  assert.equal((await call('GET', '/namespaces/_all_/repositories')).status, 403);
  assert.equal((await call('DELETE', '/namespaces/_all_/repositories/x')).status, 400);
});

test('decisions are kept for ten seconds at most, and refusals for five', async () => {
  const access = new ScriptedAccess();
  let now = 1_000_000;
  const cached = new CachedAccess(access, () => new Date(now));
  const caller = { username: 'a', uid: '1', groups: [], extra: {} };
  const question = { verb: 'get', resource: 'repositories' } as const;
  const ask = () => cached.authorize(caller, question);
  assert.equal(await ask(), true);
  access.allow = () => false;
  now += 9_999;
  assert.equal(await ask(), true);
  now += 1;
  assert.equal(await ask(), false);
  access.allow = () => true;
  now += 4_999;
  assert.equal(await ask(), false);
  now += 1;
  assert.equal(await ask(), true);
});

test('a failure to decide is not kept', async () => {
  const access = new ScriptedAccess();
  const cached = new CachedAccess(access, () => new Date(0));
  access.failure = new Failure('AuthBackendUnavailable');
  await assert.rejects(cached.authenticate('admin-token'));
  access.failure = undefined;
  assert.equal((await cached.authenticate('admin-token'))?.username, 'admin');
});

test('a token is not believed longer than it says itself', async () => {
  const access = new ScriptedAccess();
  let now = 1_000_000;
  const cached = new CachedAccess(access, () => new Date(now));
  const claims = Buffer.from(JSON.stringify({ exp: 1002 })).toString('base64url');
  const token = `x.${claims}.x-token`;
  assert.ok(await cached.authenticate(token));
  now = 1_002_001;
  await cached.authenticate(token);
  assert.equal(access.authentications, 2);
});

test('a caller who calls too often waits, others do not', () => {
  const limiter = new RateLimiter({ perSecond: 10, burst: 3 });
  assert.deepEqual(
    [1, 2, 3, 4].map(() => limiter.take('a', 0)),
    [0, 0, 0, 100],
  );
  assert.equal(limiter.take('b', 0), 0);
  assert.equal(limiter.take('a', 100), 0);
});

test('too many calls are answered with 429 and the time to wait', async () => {
  const { call } = inProcessApi({ rateLimits: { perSecond: 1, burst: 1 }, now: () => new Date(0) });
  assert.equal((await call('GET', '/namespaces/default/repositories')).status, 200);
  const response = await call('GET', '/namespaces/default/repositories');
  assert.equal(response.status, 429);
  assert.equal(response.headers.get('retry-after'), '1');
});
