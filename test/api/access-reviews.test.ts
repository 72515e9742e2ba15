import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import type { KubeConfig } from '@kubernetes/client-node';
import { createAccessReviewer } from '../../infra/kubernetes/access-reviewer.ts';
import { inProcessApi, newRepository, newSecret } from '../support/api-in-process.ts';
import { decided, MisbehavingReviews, type ReviewAnswer } from '../support/misbehaving-reviews.ts';

/** Issue 5, "Access", sentence by sentence, with the cluster's answers as they come over the wire. */
const reviews = new MisbehavingReviews();
let config: KubeConfig;
before(async () => void (config = await reviews.start()));
after(() => reviews.stop());
const sane = { token: reviews.token, access: reviews.access };
afterEach(() => {
  Object.assign(reviews, sane);
  reviews.questions.length = 0;
  reviews.bodies.length = 0;
});

const api = (now = () => new Date()) => inProcessApi({ access: createAccessReviewer(config), now });
const only = (rights: readonly string[]) => (question: string) =>
  decided({ allowed: rights.includes(question) });

test('the cluster is asked for our audience, and about the caller with all that it says of them', async () => {
  await api().call('GET', '/namespaces/a/repositories');
  const [token, access] = reviews.bodies.map((body) => JSON.parse(body));
  assert.deepEqual(token.spec, { token: 'admin-token', audiences: ['edge-image-api'] });
  const { user, uid, groups, extra } = access.spec;
  assert.deepEqual(
    { user, uid, groups, extra },
    {
      user: 'alice',
      uid: 'u',
      groups: ['g'],
      extra: { 'x/scopes': ['one'] },
    },
  );
});

const rows: readonly (readonly [method: string, path: string, body: object | undefined, right: string])[] = [
  ['GET', '/namespaces/a/registry-secrets', undefined, 'list registrysecrets a -'],
  ['GET', '/namespaces/_all_/registry-secrets', undefined, 'list registrysecrets - -'],
  ['GET', '/namespaces/a/registry-secrets/x', undefined, 'get registrysecrets a x'],
  ['DELETE', '/namespaces/a/registry-secrets/x', undefined, 'delete registrysecrets a x'],
  ['POST', '/namespaces/a/registry-secrets', newSecret('x'), 'create registrysecrets a -'],
  ['POST', '/namespaces/a/registry-secrets/x/verify', {}, 'create registrysecrets/verify a x'],
  ['GET', '/namespaces/a/repositories', undefined, 'list repositories a -'],
  ['GET', '/namespaces/_all_/repositories', undefined, 'list repositories - -'],
  ['GET', '/namespaces/a/repositories/x', undefined, 'get repositories a x'],
  ['DELETE', '/namespaces/a/repositories/x', undefined, 'delete repositories a x'],
  ['PATCH', '/namespaces/a/repositories/x', { displayName: 'y' }, 'patch repositories a x'],
  ['POST', '/namespaces/a/repositories', newRepository('x'), 'create repositories a -'],
  ['POST', '/namespaces/a/repositories/x/sync', undefined, 'create repositories/sync a x'],
  ['POST', '/namespaces/a/repositories/x/cancel-sync', undefined, 'create repositories/sync a x'],
  ['POST', '/namespaces/a/repositories/x/rollback', {}, 'create repositories/rollback a x'],
  ['POST', '/namespaces/a/repositories/x/release', undefined, 'create repositories/rollback a x'],
  ['GET', '/namespaces/_all_/image-cleanup-policies', undefined, 'list imagecleanuppolicies - -'],
  ['POST', '/namespaces/a/image-cleanup-policies/x/run', undefined, 'create imagecleanuppolicies/run a x'],
  ['GET', '/namespaces', undefined, 'list repositories - -'],
];
for (const [method, path, body, right] of rows) {
  test(`${method} ${path} needs ${right}, and no other right will do`, async () => {
    reviews.access = only([right]);
    const allowed = (await api().call(method, path, body)).status;
    assert.ok(![401, 403].includes(allowed) && allowed < 500, `${allowed}`);
    assert.equal(reviews.questions[0], right);
    reviews.access = (question) => decided({ allowed: question !== right });
    assert.equal((await api().call(method, path, body)).status, 403);
  });
}

test('a list shows one namespace’s objects to who may list there; over all namespaces the cluster-wide right is needed', async () => {
  reviews.access = only(['list repositories team-a -']);
  const { call, cluster } = api();
  for (const namespace of ['team-a', 'team-b']) {
    const metadata = { name: `of-${namespace}`, namespace };
    await cluster.resource('repositories').create({
      apiVersion: 'image.theriseunion.io/v1alpha1',
      kind: 'Repository',
      metadata,
      spec: newRepository('x').spec,
    });
  }
  const own = await (await call('GET', '/namespaces/team-a/repositories')).text();
  assert.ok(own.includes('of-team-a') && !own.includes('team-b'));
  for (const path of ['/namespaces/team-b/repositories', '/namespaces/_all_/repositories', '/namespaces']) {
    const answer = await call('GET', path);
    assert.equal(answer.status, 403, path);
    assert.ok(!(await answer.text()).includes('of-team'));
  }
});

test('a right that is taken away is gone within ten seconds', async () => {
  let now = 1_000_000;
  const { call } = api(() => new Date(now));
  const ask = async () => (await call('GET', '/namespaces/a/repositories')).status;
  assert.equal(await ask(), 200);
  reviews.access = only([]);
  now += 9_999;
  assert.equal(await ask(), 200);
  now += 1;
  assert.equal(await ask(), 403);
  reviews.token = decided({ authenticated: false });
  now += 10_000;
  assert.equal(await ask(), 401);
});

const broken: readonly (readonly [what: string, answer: ReviewAnswer])[] = [
  ['500', { kind: 'raw', code: 500, body: '{"kind":"Status","message":"boom"}' }],
  ['503', { kind: 'raw', code: 503, body: 'no leader' }],
  ['403 to ourselves', { kind: 'raw', code: 403, body: '{"kind":"Status","code":403}' }],
  ['429', { kind: 'raw', code: 429, body: '{}' }],
  ['HTML with 201', { kind: 'raw', code: 201, body: '<html>login</html>' }],
  ['half an answer', { kind: 'raw', code: 201, body: '{"status":{"allowed":true' }],
  ['a cut connection', { kind: 'cut' }],
];
for (const [what, answer] of broken) {
  test(`P03: ${what} instead of a TokenReview or an access review is 503, never an open door`, async () => {
    for (const review of ['token', 'access'] as const) {
      Object.assign(reviews, sane, review === 'token' ? { token: answer } : { access: () => answer });
      const { call, cluster } = api();
      const refused = await call('POST', '/namespaces/a/repositories', newRepository('x'));
      assert.equal(refused.status, 503, review);
      assert.ok(refused.headers.has('retry-after'));
      assert.equal(cluster.cache('repositories').list().length, 0);
      Object.assign(reviews, sane);
      assert.equal((await call('GET', '/namespaces/a/repositories')).status, 200, 'nothing of it is kept');
    }
  });
}

test('P03: a cluster that never answers is 503 within six seconds', async () => {
  reviews.access = () => ({ kind: 'silence' });
  const from = performance.now();
  assert.equal((await api().call('DELETE', '/namespaces/a/repositories/x')).status, 503);
  assert.ok(performance.now() - from < 6_500);
});

const closed: readonly (readonly [what: string, review: 'token' | 'access', status: object, code: number])[] =
  [
    ['an answer without audiences', 'token', { authenticated: true, user: { username: 'a' } }, 401],
    ['no audience', 'token', { authenticated: true, audiences: [], user: { username: 'a' } }, 401],
    ['another audience', 'token', { authenticated: true, audiences: ['x'], user: { username: 'a' } }, 401],
    ['nobody', 'token', { authenticated: true, audiences: ['edge-image-api'] }, 401],
    ['not authenticated', 'token', { audiences: ['edge-image-api'], user: { username: 'a' } }, 401],
    ['allowed and denied at once', 'access', { allowed: true, denied: true }, 403],
    ['a doubt', 'access', { evaluationError: 'webhook down' }, 403],
    ['allowed as a text', 'access', { allowed: 'true' }, 403],
    ['nothing', 'access', {}, 403],
  ];
for (const [what, review, status, code] of closed) {
  test(`P02: ${what} is ${code}`, async () => {
    Object.assign(
      reviews,
      review === 'token' ? { token: decided(status) } : { access: () => decided(status) },
    );
    assert.equal((await api().call('GET', '/namespaces/a/repositories')).status, code);
  });
}

const syncs = (...places: readonly (readonly [namespace: string, name: string])[]) => ({
  operation: 'sync',
  items: places.map(([namespace, name]) => ({ kind: 'Repository', metadata: { namespace, name } })),
});
const manyOf = (namespace: string, count: number) =>
  Array.from({ length: count }, (_, index) => [namespace, `r${index}`] as const);
const batch = async (body: object) =>
  (await api().call('POST', '/namespaces/_all_/batch?dryRun=true', body)).status;
const entry = 'list repositories - -';

test('a batch of five hundred asks about each object once, and refuses the one that is forbidden among allowed ones', async () => {
  const wanted = [...manyOf('a', 300), ...manyOf('b', 200)];
  assert.equal(await batch(syncs(...wanted)), 200);
  const asked = wanted.map(([namespace, name]) => `create repositories/sync ${namespace} ${name}`);
  assert.deepEqual(reviews.questions.toSorted(), [...asked, entry].toSorted());
  reviews.access = (question) => decided({ allowed: !question.endsWith(' b r7') });
  assert.equal(await batch(syncs(...manyOf('b', 20))), 403);
});

test('P08: who may sync single objects only may do that in a batch, and nothing besides', async () => {
  const own = ['r0', 'r1', 'r2'].map((name) => `create repositories/sync a ${name}`);
  reviews.access = only([entry, ...own]);
  assert.equal(await batch(syncs(...manyOf('a', 3))), 200);
  assert.equal(await batch(syncs(['a', 'r1'])), 200);
  assert.equal(await batch(syncs(...manyOf('a', 4))), 403);
  assert.equal(await batch(syncs(...manyOf('a', 3), ['b', 'r0'])), 403);
});

test('P03: a batch about which the cluster gives no answer is 503', async () => {
  reviews.access = (question) =>
    question === entry ? decided({ allowed: true }) : { kind: 'raw', code: 500, body: '{}' };
  assert.equal(await batch(syncs(...manyOf('a', 20))), 503);
});
