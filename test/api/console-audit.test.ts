import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inProcessApi, newRepository, newSecret } from '../support/api-in-process.ts';

async function scene() {
  const api = inProcessApi();
  await api.call('POST', '/namespaces/default/registry-secrets', newSecret('hub'));
  await api.call('POST', '/namespaces/default/repositories', newRepository('web'));
  await api.call('DELETE', '/namespaces/default/repositories/none');
  const seen = async (path: string): Promise<string> => {
    const headers = { authorization: 'Bearer admin-token', 'hx-request': 'true' };
    const response = await api.app.request(path, { headers });
    assert.equal(response.status, 200);
    return response.text();
  };
  return { ...api, seen };
}

const rows = (page: string): number => page.split('<tr>').length - 2;
const day = (offset: number): string => new Date(Date.now() + offset * 86_400_000).toISOString().slice(0, 10);

test('a call is one row of the audit view: how it ended, with what was asked for folded into it', async () => {
  const { seen } = await scene();
  const page = await seen('/console/audit');
  assert.equal(rows(page), 3);
  assert.equal(page.match(/<details>\s*<summary>requested <time/g)?.length, 3);
  assert.match(page, /failed<\/span>\s*404\s*<code>NotFound/);
});

test('the days of the audit view are chosen, counted whole and in UTC', async () => {
  const { seen } = await scene();
  const page = await seen(`/console/audit?since=${day(0)}&until=${day(0)}`);
  assert.match(page, new RegExp(`name="since" type="date" value="${day(0)}"`));
  assert.equal(rows(page), 3);
  assert.match(await seen(`/console/audit?since=${day(-9)}&until=${day(-1)}`), /Nothing|nothing/);
  const exact = `${day(0)}T00:00:00Z`;
  assert.equal(rows(await seen(`/console/audit?since=${exact}`)), 3);
});

test('folding is asked for: a script that reads records gets all of them', async () => {
  const { call } = await scene();
  const items = async (query: string) =>
    JSON.parse(await (await call('GET', `/audit${query}`)).text()).totalItems;
  assert.deepEqual([await items(''), await items('?fold=true')], [6, 3]);
});

test('a pinned image says so in the list', async () => {
  const { call, seen } = await scene();
  assert.ok(!(await seen('/console/images?ns=default')).includes('pinned</span>'));
  const pinnedDigest = `sha256:${'a'.repeat(64)}`;
  await call('PATCH', '/namespaces/default/repositories/web', { spec: { pinnedDigest } });
  assert.match(
    await seen('/console/images?ns=default'),
    /library\/nginx:1\.27\s*<span class="badge due">pinned/,
  );
});
