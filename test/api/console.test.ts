import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inProcessApi, newRepository, newSecret, type InProcessApi } from '../support/api-in-process.ts';

const form = { 'content-type': 'application/x-www-form-urlencoded' };

async function seen(
  api: InProcessApi,
  path: string,
  body?: Record<string, string> | [string, string][],
): Promise<string> {
  const response = await api.app.request(path, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: 'Bearer admin-token', ...(body === undefined ? {} : form) },
    ...(body === undefined ? {} : { body: new URLSearchParams(body).toString() }),
  });
  return response.text();
}

async function withImages(count: number): Promise<InProcessApi> {
  const api = inProcessApi();
  await api.call('POST', '/namespaces/default/registry-secrets', newSecret('hub'));
  for (let number = 0; number < count; number += 1) {
    await api.call(
      'POST',
      '/namespaces/default/repositories',
      newRepository(`image-${String(number).padStart(2, '0')}`),
    );
  }
  return api;
}

test('the page and its files need no token, hold no data, and run only their own scripts', async () => {
  const { app } = inProcessApi();
  const page = await app.request('/console');
  assert.match(page.headers.get('content-security-policy') ?? '', /script-src 'self';/);
  assert.match(await page.text(), /<title>Imageferry<\/title>/);
  for (const file of ['htmx.js', 'console.js', 'console.css']) {
    const response = await app.request(`/console/${file}`);
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('x-content-type-options'), 'nosniff');
  }
});

test('views show what the API lets the caller see, and nothing without a token', async () => {
  const api = await withImages(2);
  assert.match(await seen(api, '/console/images'), /image-00[\s\S]*image-01[\s\S]*2 \/ 2/);
  const sources = await seen(api, '/console/sources');
  assert.ok(sources.includes('harbor.example.com') && !sources.includes('canary-password'));
  const anonymous = await (await api.app.request('/console/images')).text();
  assert.ok(anonymous.includes('401') && !anonymous.includes('image-00'));
});

test('rows go on where the page before ended', async () => {
  const api = await withImages(35);
  assert.match(await seen(api, '/console/images'), /30 \/ 35[\s\S]*/);
  const rows = await seen(api, '/console/images/rows?ns=_all_&search=&page=2');
  assert.match(rows, /image-30[\s\S]*image-34[\s\S]*35 \/ 35/);
  assert.ok(!rows.includes('hx-trigger'));
});

test('P17: what users wrote is escaped', async () => {
  const api = await withImages(1);
  await api.call('PATCH', '/namespaces/default/repositories/image-00', {
    displayName: '<script>alert(1)</script>',
  });
  for (const path of [
    '/console/images',
    '/console/images/details?ns=default&name=image-00',
    '/console/images?search="><script>',
  ]) {
    assert.ok(!(await seen(api, path)).includes('<script>'), path);
  }
});

test('deleting asks for the name, deleting many for their number', async () => {
  const api = await withImages(3);
  const at = '/console/images/delete?ns=default&name=image-00';
  await seen(api, at, { confirm: 'image-01' });
  assert.equal(api.cluster.cache('repositories').list().length, 3);
  assert.match(await seen(api, at, { confirm: 'image-00' }), /Done/);
  assert.equal(api.cluster.cache('repositories').list().length, 2);
  const selected: [string, string][] = [
    ['selected', 'default/image-01'],
    ['selected', 'default/image-02'],
  ];
  assert.match(
    await seen(api, '/console/images/delete-many', [...selected, ['confirm', '3']]),
    /does not match/,
  );
});

test('a source is tested, added and verified; an image is edited and synced', async () => {
  const api = await withImages(1);
  const source = {
    namespace: 'default',
    name: 'new',
    domain: 'r.example.com',
    username: 'u',
    password: 'canary-password',
    provider: 'other',
  };
  assert.match(await seen(api, '/console/sources/test', source), /Connection succeeded/);
  assert.match(await seen(api, '/console/sources/add', source), /Done/);
  assert.match(await seen(api, '/console/sources/verify?ns=default&name=new', {}), /Connection succeeded/);
  assert.match(await seen(api, '/console/images/sync?ns=default&name=image-00', {}), /Sync started/);
  assert.match(
    await seen(api, '/console/images/edit?ns=default&name=image-00', {
      displayName: '网关',
      description: '',
    }),
    /Done/,
  );
  assert.match(await seen(api, '/console/images/details?ns=default&name=image-00'), /网关/);
});
