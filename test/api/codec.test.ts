import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { payloadOpener } from '../../infra/temporal/codec-endpoint.ts';
import { parseCodecKeys } from '../../infra/temporal/codec-keys.ts';
import { SealingCodec } from '../../infra/temporal/codec.ts';
import { inProcessApi } from '../support/api-in-process.ts';

const codec = new SealingCodec(parseCodecKeys(`k1:${randomBytes(32).toString('base64')}`));
const json = async (response: Response) => JSON.parse(await response.text());
const encoding = Buffer.from('json/plain');

async function sealed(): Promise<object> {
  const [payload] = await codec.encode([{ metadata: { encoding }, data: Buffer.from('"hello"') }]);
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

test('without the key the answer says which is missing', async () => {
  const other = new SealingCodec(parseCodecKeys(`k2:${randomBytes(32).toString('base64')}`));
  const { call } = inProcessApi({ payloads: payloadOpener(other) });
  const response = await call('POST', '/codec/decode', { payloads: [await sealed()] });
  assert.equal(response.status, 503);
  assert.match((await json(response)).message, /k1/);
  assert.equal((await inProcessApi().call('POST', '/codec/decode', { payloads: [] })).status, 404);
});
