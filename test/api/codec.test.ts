import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { payloadOpener } from '../../infra/temporal/codec-endpoint.ts';
import { parseCodecKeys } from '../../infra/temporal/codec-keys.ts';
import { SealingCodec } from '../../infra/temporal/codec.ts';
import { base, inProcessApi } from '../support/api-in-process.ts';

const codec = new SealingCodec(parseCodecKeys(`k1:${randomBytes(32).toString('base64')}`));
const json = async (response: Response) => JSON.parse(await response.text());
const encoding = Buffer.from('json/plain');

async function sealed(text = 'hello'): Promise<object> {
  const [payload] = await codec.encode([{ metadata: { encoding }, data: Buffer.from(`"${text}"`) }]);
  const metadata = Object.entries(payload?.metadata ?? {}).map(([key, value]) => [
    key,
    Buffer.from(value).toString('base64'),
  ]);
  return {
    metadata: Object.fromEntries(metadata),
    data: Buffer.from(payload?.data ?? '').toString('base64'),
  };
}

test('sealed payloads are opened for those who may see them', async () => {
  const { call } = inProcessApi({ payloads: payloadOpener(codec) });
  const body = { payloads: [await sealed()] };
  const opened = await json(await call('POST', '/codec/decode', body));
  assert.equal(Buffer.from(opened.payloads[0].data, 'base64').toString(), '"hello"');
});

test('who may not see payloads is refused', async () => {
  const { call, access } = inProcessApi({ payloads: payloadOpener(codec) });
  access.allow = (_, question) => question.resource !== 'payloads';
  assert.equal((await call('POST', '/codec/decode', { payloads: [] })).status, 403);
});

const ui = 'https://temporal.example';
const preflight = (app: ReturnType<typeof inProcessApi>['app'], origin: string) =>
  app.request(`${base}/codec/decode`, {
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization,content-type,x-namespace',
    },
  });

test("a browser's preflight from Temporal's UI is let through without a token, from elsewhere it gets no leave", async () => {
  const { app, access } = inProcessApi({ payloads: payloadOpener(codec), codecOrigin: ui });
  const granted = await preflight(app, ui);
  assert.equal(granted.status, 204);
  assert.equal(granted.headers.get('access-control-allow-origin'), ui);
  const allowed = granted.headers.get('access-control-allow-headers') ?? '';
  for (const name of ['authorization', 'content-type', 'x-namespace'])
    assert.ok(allowed.includes(name), allowed);
  assert.equal(granted.headers.get('access-control-allow-credentials'), null);
  for (const origin of ['https://evil.example', `${ui}.evil.example`, 'null']) {
    const refused = await preflight(app, origin);
    assert.equal(refused.headers.get('access-control-allow-origin'), null, origin);
  }
  assert.equal(access.authentications, 0);
});

test("P16: only Temporal's UI may read an answer, and only of this path", async () => {
  const { call } = inProcessApi({ payloads: payloadOpener(codec), codecOrigin: ui });
  const body = { payloads: [await sealed()] };
  const opened = await call('POST', '/codec/decode', body, { origin: ui });
  assert.deepEqual([opened.status, opened.headers.get('access-control-allow-origin')], [200, ui]);
  assert.equal(opened.headers.get('cross-origin-resource-policy'), 'cross-origin');
  const evil = await call('POST', '/codec/decode', body, { origin: 'https://evil.example' });
  assert.equal(evil.headers.get('access-control-allow-origin'), null);
  const elsewhere = await call('GET', '/namespaces/default/repositories', undefined, { origin: ui });
  assert.equal(elsewhere.headers.get('access-control-allow-origin'), null);
});

test('histories are of all namespaces, so a right in one of them is not enough to open payloads', async () => {
  const { call, access } = inProcessApi({ payloads: payloadOpener(codec), codecOrigin: ui });
  access.allow = (_, question) => question.namespace === 'default';
  const refused = await call('POST', '/codec/decode', { payloads: [await sealed()] }, { origin: ui });
  assert.equal(refused.status, 403);
  assert.deepEqual(
    access.asked.map(({ namespace }) => namespace),
    [undefined],
  );
});

test('without a known origin no page may read an answer', async () => {
  const { app } = inProcessApi({ payloads: payloadOpener(codec) });
  assert.equal((await preflight(app, ui)).headers.get('access-control-allow-origin'), null);
});

test('without the key the answer says which is missing', async () => {
  const other = new SealingCodec(parseCodecKeys(`k2:${randomBytes(32).toString('base64')}`));
  const { call } = inProcessApi({ payloads: payloadOpener(other) });
  const response = await call('POST', '/codec/decode', { payloads: [await sealed()] });
  assert.equal(response.status, 503);
  assert.match((await json(response)).message, /k1/);
  assert.equal((await inProcessApi().call('POST', '/codec/decode', { payloads: [] })).status, 404);
});

test('the largest payload that Temporal keeps is opened, and one that it cannot have is refused', async () => {
  const { call } = inProcessApi({ payloads: payloadOpener(codec) });
  const largest = 2 * 1_048_576;
  const opened = await call('POST', '/codec/decode', {
    payloads: [await sealed('x'.repeat(largest - 1000))],
  });
  assert.equal(opened.status, 200, (await opened.clone().text()).slice(0, 200));
  assert.equal(Buffer.from((await json(opened)).payloads[0].data, 'base64').length, largest - 998);
  const refused = await call('POST', '/codec/decode', { payloads: [await sealed('x'.repeat(2 * largest))] });
  assert.equal(refused.status, 413);
});

test('a payload that is no payload of ours is refused in words that can be printed', async () => {
  const { call } = inProcessApi({ payloads: payloadOpener(codec) });
  const named = (id: string) => ({
    encoding: Buffer.from('binary/encrypted').toString('base64'),
    'encryption-key-id': Buffer.from(id).toString('base64'),
  });
  for (const payload of [
    { metadata: named('\u001b[2Jkey\n{"level":60}') },
    { metadata: named('k1') },
    { metadata: named('k1'), data: '' },
    { metadata: named('k1'), data: Buffer.alloc(28).toString('base64') },
    { metadata: { encoding: named('').encoding } },
  ]) {
    const answer = await call('POST', '/codec/decode', { payloads: [payload] });
    const { message } = await json(answer);
    assert.equal(answer.status, 503, message);
    assert.match(message, /^[\x20-\x7e]+$/);
  }
  for (const body of [
    {},
    { payloads: [{ data: 'not base64!' }] },
    { payloads: Array.from({ length: 1001 }, () => ({})) },
  ])
    assert.equal((await call('POST', '/codec/decode', body)).status, 400);
});
