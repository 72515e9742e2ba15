import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inProcessApi, newRepository, newSecret, type InProcessApi } from '../support/api-in-process.ts';

const form = { 'content-type': 'application/x-www-form-urlencoded' };

async function seen(
  api: InProcessApi,
  path: string,
  body?: Record<string, string> | [string, string][],
  headers: Record<string, string> = {},
): Promise<string> {
  const response = await api.app.request(path, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: 'Bearer admin-token', ...(body === undefined ? {} : form), ...headers },
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

const syncRecord = (result: 'Waiting', message: string) => ({
  id: 'r1',
  trigger: 'urgent' as const,
  result,
  started: '2026-01-01T00:00:00Z',
  ended: '2026-01-01T00:00:00Z',
  bytesMoved: 0,
  bytesReused: 0,
  reason: 'WaitsForWindow',
  message,
  workflowId: 'sync/default/image-00',
  runId: 'r1',
});

test('the page and its files need no token, hold no data, and run only their own scripts', async () => {
  const { app } = inProcessApi();
  const page = await app.request('/console');
  assert.match(page.headers.get('content-security-policy') ?? '', /script-src 'self';/);
  assert.match(await page.text(), /<title>Imageferry<\/title>/);
  for (const file of ['htmx.js', 'console.js', 'router.js', 'console.css', 'icon.svg']) {
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
  const anonymous = await api.app.request('/console/images');
  const told = await anonymous.text();
  assert.ok(anonymous.status === 401 && told.includes('401') && !told.includes('image-00'));
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
  assert.match(await seen(api, at, { confirm: 'image-00' }), /data-goto="#\/images"[\s\S]*Deleted/);
  assert.equal(api.cluster.cache('repositories').list().length, 2);
  const selected: [string, string][] = [
    ['selected', 'default/image-01'],
    ['selected', 'default/image-02'],
  ];
  const many = '/console/images/batch?operation=delete';
  assert.match(await seen(api, many, [...selected, ['confirm', '3']]), /does not match/);
  assert.match(await seen(api, many, [['confirm', '0']]), /Nothing is selected/);
  assert.match(await seen(api, `${many}&dryRun=true`, selected), /Dry run[\s\S]*2 accepted, 0 refused/);
  const started = await seen(api, many, [...selected, ['confirm', '2']]);
  assert.match(started, /2 accepted, 0 refused/);
  const poll = /data-poll="([^"]+)"/.exec(started)?.[1]?.replaceAll('&amp;', '&') ?? '';
  assert.match(await seen(api, poll), /Running: 0 done, 0 failed \/ 2/);
});

test('many are added from YAML, after a check that changes nothing', async () => {
  const api = await withImages(1);
  const yaml = JSON.stringify(newRepository('image-00'));
  const checked = await seen(api, '/console/images/yaml?dryRun=true', { namespace: 'default', yaml });
  assert.match(checked, /Dry run[\s\S]*0 accepted, 1 refused[\s\S]*AlreadyExists/);
});

test('a source is tested, added, verified and deleted; its users are listed', async () => {
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
  assert.match(await seen(api, '/console/sources/add', source), /data-refresh="true"[\s\S]*Done/);
  assert.match(await seen(api, '/console/sources/verify?ns=default&name=new', {}), /Connection succeeded/);
  const hub = '/console/sources/details?ns=default&name=hub';
  assert.match(await seen(api, hub), /default\/image-00[\s\S]*although images use it/);
  const remove = '/console/sources/delete?ns=default&name=hub';
  assert.match(await seen(api, remove, { confirm: 'hub' }), /InUse[\s\S]*HTTP 409/);
  assert.match(await seen(api, remove, { confirm: 'hub', force: 'true' }), /Deleted/);
});

test('an image is added, edited, synced and cancelled', async () => {
  const api = await withImages(1);
  const added = { namespace: 'default', name: 'new', registry: 'hub', repository: 'a/b', tag: '1' };
  assert.match(await seen(api, '/console/images/add', added), /new: Done/);
  assert.match(
    await seen(api, '/console/images/add', { ...added, repository: 'a/b:1' }),
    /without tag|no tag|InvalidName/,
  );
  const at = 'ns=default&name=image-00';
  assert.match(
    await seen(api, `/console/images/sync?${at}`, {}),
    /data-load="[^"]+row[^"]+"[\s\S]*Sync started/,
  );
  assert.match(await seen(api, `/console/images/cancel?${at}`, {}), /no sync is running[\s\S]*Conflict/);
  assert.match(await seen(api, `/console/images/edit?${at}`, { displayName: '网关' }), /Saved/);
  assert.match(await seen(api, `/console/images/details?${at}`), /网关/);
});

test('every view answers without an error where there is nothing yet', async () => {
  const api = inProcessApi();
  for (const view of ['images', 'sources', 'sites', 'bundles', 'cleanup', 'storage', 'audit']) {
    assert.ok(!(await seen(api, `/console/${view}`)).includes('role="alert"'), view);
  }
});

test('who may see one namespace only is asked for it, and keeps it in the form', async () => {
  const api = await withImages(1);
  api.access.allow = (_, { namespace }) => namespace === 'default';
  assert.match(await seen(api, '/console/images?ns=_all_'), /You may not look[\s\S]*<input name="ns"/);
  assert.match(
    await seen(api, '/console/images?ns=default'),
    /<input name="ns" value="default"[\s\S]*image-00/,
  );
});

test('a filter, its order and its page are in the addresses of the view', async () => {
  const api = await withImages(35);
  const shown = await seen(api, '/console/images?ns=default&search=image&sort=-name&page=1');
  assert.match(shown, /image-34[\s\S]*image-05/);
  assert.match(shown, /rows\?ns=default&amp;search=image&amp;sort=-name&amp;page=2/);
  assert.match(shown, /#\/images\?ns=default&amp;search=image&amp;sort=name"/);
});

test('a message is read in the reader’s language, with what it names and its code', async () => {
  const api = await withImages(1);
  const message = 'The connection was refused (r.example.com; ECONNREFUSED) / 连接被拒绝';
  const failed = { status: 'False', reason: 'ConnectionRefused', message, lastTransitionTime: '' } as const;
  await api.cluster.resource('repositories').changeStatus({ namespace: 'default', name: 'image-00' }, () => ({
    syncStatus: 'Failed',
    conditions: [
      { ...failed, type: 'Synced' },
      { ...failed, type: 'ControllerActive', reason: 'Silent', message: 'No worker / 控制器未运行' },
      { ...failed, type: 'Degraded', reason: 'Succeeded', message: '4 images checked' },
    ],
    sites: [{ site: 'edge', state: 'Failed', reason: failed.reason, message }],
    history: [syncRecord('Waiting', message)],
  }));
  const at = '/console/images/details?ns=default&name=image-00';
  const english = await seen(api, at);
  assert.ok(!english.includes('连接被拒绝') && english.includes('The connection was refused'));
  assert.match(english, /&lt; 1 s[\s\S]*by hand, at once[\s\S]*waiting/);
  assert.match(english, /notice due[^<]*No worker <code>Silent/);
  assert.ok(!english.includes('4 images checked'), 'a condition that tells of nothing bad');
  const chinese = await seen(api, at, undefined, { 'accept-language': 'zh-CN' });
  assert.match(chinese, /连接被拒绝（r\.example\.com; ECONNREFUSED）/);
  assert.ok(!chinese.includes('The connection was refused') && chinese.includes('手动（立即）'));
});

test('registries are offered by name to who may list them, and to who may not the form is whole', async () => {
  const api = await withImages(1);
  assert.match(await seen(api, '/console/images'), /<datalist id="registries">\s*<option value="hub">/);
  api.access.allow = (_, { resource }) => resource !== 'registrysecrets';
  const other = await seen(api, '/console/images', undefined, { authorization: 'Bearer other-token' });
  assert.match(other, /<datalist id="registries">\s*<\/datalist>[\s\S]*image-00/);
});
