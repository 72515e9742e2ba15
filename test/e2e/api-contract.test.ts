import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { CoreV1Api, CustomObjectsApi, EventsV1Api } from '@kubernetes/client-node';
import { applier } from '../../infra/local/apply.ts';
import { call, freshNamespace } from '../support/api-client.ts';
import { apiVersion, as, isStatus, repository, secret } from '../support/contract-client.ts';
import { endpoints } from '../support/stack.ts';

/** Written from section 4 of the contract alone: what a client of it sends and what it gets back. */
const { tokens, registries, kubeconfig } = endpoints();

describe('registry-secrets', () => {
  let ns = '';
  let list = '';
  before(async () => {
    ns = await freshNamespace('api-secrets');
    list = `/namespaces/${ns}/registry-secrets`;
    for (const name of ['hub', 'b-second', 'c-third']) {
      assert.equal((await as('POST', list, secret(name))).status, 201);
    }
  });

  test('POST answers 201 with the object, mirrors of the spec, and no password', async () => {
    const { status, json, text } = await as('POST', list, secret('a-first'));
    assert.equal(status, 201);
    assert.deepEqual(
      [json.apiVersion, json.kind, json.metadata.name, json.metadata.namespace],
      [apiVersion, 'RegistrySecret', 'a-first', ns],
    );
    assert.equal(json.spec.password, '<encrypted>');
    assert.ok(!text.includes(registries.upstream.password));
    const annotations = json.metadata.annotations;
    assert.equal(annotations['theriseunion.io/domain'], registries.upstream.domain);
    assert.equal(annotations['theriseunion.io/username'], registries.upstream.username);
    assert.equal(annotations['theriseunion.io/provider'], 'other');
    assert.equal(annotations['theriseunion.io/display-name'], '源 a-first');
    assert.ok(['untested', 'success'].includes(annotations['theriseunion.io/verify-status']));
  });

  test('the credential is in a Secret owned by the RegistrySecret, and nowhere else in etcd', async () => {
    const config = applier(kubeconfig).config;
    const { items } = await config.makeApiClient(CoreV1Api).listNamespacedSecret({ namespace: ns });
    const own = items.find(({ metadata }) => metadata?.ownerReferences?.[0]?.name === 'hub');
    const read = (key: string) => Buffer.from(own?.data?.[key] ?? '', 'base64').toString();
    assert.deepEqual(
      { domain: read('domain'), username: read('username'), password: read('password') },
      registries.upstream,
    );
    const stored = await config.makeApiClient(CustomObjectsApi).getNamespacedCustomObject({
      group: 'image.theriseunion.io',
      version: 'v1alpha1',
      namespace: ns,
      plural: 'registrysecrets',
      name: 'hub',
    });
    assert.ok(!JSON.stringify(stored).includes(registries.upstream.password));
  });

  test('GET lists a page with totalItems; page is 1 and limit 10 where not said', async () => {
    const { status, json, text } = await as('GET', `${list}?page=2&limit=1`);
    assert.equal(status, 200);
    assert.deepEqual([json.apiVersion, json.kind, json.items.length], [apiVersion, 'RegistrySecretList', 1]);
    assert.ok(json.totalItems >= 3);
    assert.ok(!text.includes(registries.upstream.password));
    const whole = await as('GET', list);
    assert.equal(whole.json.items.length, whole.json.totalItems);
    assert.equal(whole.json.items[1].metadata.name, json.items[0].metadata.name);
  });

  test('search narrows the list; _all_ spans namespaces', async () => {
    const found = await as('GET', `${list}?search=SECOND`);
    assert.deepEqual(
      found.json.items.map((item: { metadata: { name: string } }) => item.metadata.name),
      ['b-second'],
    );
    const all = await as('GET', '/namespaces/_all_/registry-secrets?limit=500');
    assert.ok(
      all.json.items.some((item: { metadata: { namespace: string } }) => item.metadata.namespace === ns),
    );
    assert.ok(all.json.totalItems >= 3);
  });

  test('GET one answers the object, or 404', async () => {
    const { status, json } = await as('GET', `${list}/hub`);
    assert.deepEqual([status, json.kind, json.spec.password], [200, 'RegistrySecret', '<encrypted>']);
    isStatus(await as('GET', `${list}/nothing`), 404, 'NotFound');
  });

  test('POST of what exists is 409, of a scheme or a path in the domain 400 with words that say so', async () => {
    isStatus(await as('POST', list, secret('hub')), 409, 'AlreadyExists');
    const scheme = await as('POST', list, secret('x', { domain: 'https://h' }));
    isStatus(scheme, 400, 'InvalidDomain');
    assert.match(scheme.json.message, /scheme/);
    assert.match((await as('POST', list, secret('x', { domain: 'h/v2/' }))).json.message, /path/);
  });

  test('verify tests a given credential without storing it', async () => {
    const good = await as('POST', `${list}/not-saved-yet/verify`, registries.upstream);
    assert.deepEqual([good.status, good.json.success], [200, true], good.text);
    const chinese = await call(tokens.admin, 'POST', `${list}/not-saved-yet/verify`, registries.upstream, {
      'accept-language': 'zh-CN',
    });
    assert.equal(chinese.json.message, '连接成功');
    const bad = await as('POST', `${list}/not-saved-yet/verify`, {
      ...registries.upstream,
      password: 'wrong-canary',
    });
    assert.deepEqual([bad.status, bad.json.success, bad.json.reason], [200, false, 'Unauthorized']);
    assert.ok(!bad.text.includes('wrong-canary'));
    isStatus(await as('GET', `${list}/not-saved-yet`), 404, 'NotFound');
  });

  test('verify with {} tests what is stored', async () => {
    const { status, json, text } = await as('POST', `${list}/hub/verify`, {});
    assert.deepEqual([status, json.success], [200, true], text);
    const { json: secretAfter } = await as('GET', `${list}/hub`);
    const annotations = secretAfter.metadata.annotations;
    assert.equal(annotations['theriseunion.io/verify-status'], 'success');
    assert.match(annotations['theriseunion.io/verify-timestamp'], /^\d{13}$/);
    isStatus(await as('POST', `${list}/nothing/verify`, {}), 404, 'NotFound');
  });

  test('DELETE answers 204 and the object is gone; one in use is 409 unless forced', async () => {
    assert.equal((await as('DELETE', `${list}/c-third`)).status, 204);
    isStatus(await as('GET', `${list}/c-third`), 404, 'NotFound');
    isStatus(await as('DELETE', `${list}/c-third`), 404, 'NotFound');
    await as('POST', list, secret('used'));
    await as('POST', `/namespaces/${ns}/repositories`, repository('user', { registryRef: { name: 'used' } }));
    isStatus(await as('DELETE', `${list}/used`), 409, 'InUse');
    assert.equal((await as('DELETE', `${list}/used?force=true`)).status, 204);
  });

  test('create, delete and connection tests are Events with reason ImageManagement', async () => {
    const events = applier(kubeconfig).config.makeApiClient(EventsV1Api);
    const { items } = await events.listNamespacedEvent({
      namespace: ns,
      fieldSelector: 'reason=ImageManagement',
    });
    const notes = items.map(({ note }) => note ?? '');
    for (const what of ['CreateRegistrySecret', 'VerifyConnection', 'DeleteRegistrySecret']) {
      assert.ok(
        notes.some((note) => note.includes(what)),
        `${what} in ${notes.join('\n')}`,
      );
    }
  });
});

describe('repositories', () => {
  let ns = '';
  let list = '';
  before(async () => {
    ns = await freshNamespace('api-images');
    list = `/namespaces/${ns}/repositories`;
    assert.equal((await as('POST', `/namespaces/${ns}/registry-secrets`, secret('hub'))).status, 201);
    for (const name of ['one', 'two', 'three']) {
      const created = await as('POST', list, repository(name, { repository: `team/${name}-path` }));
      assert.deepEqual(
        [created.status, created.json.kind, created.json.metadata.name],
        [201, 'Repository', name],
      );
    }
  });

  test('GET lists a page with totalItems; name looks into name, display name and path', async () => {
    const names = async (query: string) => {
      const { status, json } = await as('GET', `${list}?${query}`);
      assert.deepEqual([status, json.apiVersion, json.kind], [200, apiVersion, 'RepositoryList']);
      return [
        json.totalItems,
        ...json.items.map((item: { metadata: { name: string } }) => item.metadata.name),
      ];
    };
    assert.deepEqual(await names('page=1&limit=2'), [3, 'one', 'three']);
    assert.deepEqual(await names('name=two-path'), [1, 'two']);
    assert.equal((await as('PATCH', `${list}/one`, { displayName: '网关镜像' })).status, 200);
    assert.deepEqual(await names(`name=${encodeURIComponent('网关')}`), [1, 'one']);
    assert.deepEqual(await names('name=zzz'), [0]);
    const all = await as('GET', '/namespaces/_all_/repositories?limit=500');
    assert.ok(
      all.json.items.some((item: { metadata: { namespace: string } }) => item.metadata.namespace === ns),
    );
  });

  test('GET one answers the object, or 404', async () => {
    const { status, json } = await as('GET', `${list}/one`);
    assert.deepEqual([status, json.spec.repository, json.spec.tag], [200, 'team/one-path', 'v1']);
    isStatus(await as('GET', `${list}/nothing`), 404, 'NotFound');
  });

  test('POST of a tag in the path is 400 with words that say so, of what exists 409', async () => {
    const answer = await as('POST', list, repository('x', { repository: 'a/b:v1' }));
    isStatus(answer, 400, 'InvalidRepository');
    assert.match(answer.json.message, /tag/);
    isStatus(await as('POST', list, repository('one')), 409, 'AlreadyExists');
  });

  test('sync answers success with a message, or 404', async () => {
    const { status, json } = await as('POST', `${list}/one/sync`);
    assert.deepEqual([status, json.success, typeof json.message], [200, true, 'string']);
    assert.equal(json.workflowId, `sync/${ns}/one`);
    isStatus(await as('POST', `${list}/nothing/sync`), 404, 'NotFound');
  });

  test('DELETE answers 204 and the object is gone', async () => {
    assert.equal((await as('DELETE', `${list}/three`)).status, 204);
    isStatus(await as('GET', `${list}/three`), 404, 'NotFound');
  });

  test('without a token 401, in a namespace that does not exist 404', async () => {
    isStatus(await call(undefined, 'GET', list), 401, 'Unauthorized');
    isStatus(await call('not-a-token', 'GET', list), 401, 'Unauthorized');
    isStatus(
      await as('POST', '/namespaces/no-such-namespace/repositories', repository('x')),
      404,
      'NotFound',
    );
  });

  test('a path that does not exist is a 404 Status too', async () => {
    isStatus(await as('GET', `/namespaces/${ns}/pods`), 404, 'NotFound');
  });
});
