import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import { sealOf, sealOnly, SealingCodec } from '../../../infra/temporal/codec.ts';
import { parseCodecKeys } from '../../../infra/temporal/codec-keys.ts';
import { isCode } from '../../support/failures.ts';

const newKey = (id: string): string => `${id}:${randomBytes(32).toString('base64')}`;
const codecWith = (...keys: readonly string[]): SealingCodec =>
  new SealingCodec(parseCodecKeys(keys.join(',')));
const sample = (): Payload =>
  defaultPayloadConverter.toPayload({ namespace: 'default', name: 'canary-7f3a' });

test('a sealed payload comes back unchanged and shows nothing of its content', async () => {
  const codec = codecWith(newKey('a'));
  const [sealed] = await codec.encode([sample()]);
  assert.ok(sealed !== undefined);
  assert.ok(!Buffer.from(sealed.data ?? []).includes('canary-7f3a'));
  const [opened] = await codec.decode([sealed]);
  assert.ok(opened !== undefined);
  assert.deepEqual(defaultPayloadConverter.fromPayload(opened), {
    namespace: 'default',
    name: 'canary-7f3a',
  });
});

test('after a rotation, what the old key sealed still opens and new payloads name the new key', async () => {
  const [old, fresh] = [newKey('2025'), newKey('2026')];
  const sealed = await codecWith(old).encode([sample()]);
  const rotated = codecWith(fresh, old);
  assert.equal((await rotated.decode(sealed)).length, 1);
  const [again] = await rotated.encode([sample()]);
  assert.equal(Buffer.from(again?.metadata?.['encryption-key-id'] ?? []).toString(), '2026');
});

test('N18 a payload whose key is missing is refused with the id of the key', async () => {
  const sealed = await codecWith(newKey('gone')).encode([sample()]);
  await assert.rejects(codecWith(newKey('other')).decode(sealed), isCode('CodecKeyMissing', /gone/));
});

test('a payload with any flipped bit, or that names another key, is refused', async () => {
  const [a, b] = [newKey('a'), newKey('b')];
  const codec = codecWith(a, b);
  const [sealed] = await codec.encode([sample()]);
  const data = sealed?.data ?? new Uint8Array();
  for (let index = 0; index < data.length; index += 1) {
    const flipped = Uint8Array.from(data, (byte, at) => (at === index ? byte ^ 1 : byte));
    await assert.rejects(codec.decode([{ ...sealed, data: flipped }]), isCode('CodecKeyMissing'));
  }
  const renamed = { ...sealed, metadata: { ...sealed?.metadata, 'encryption-key-id': Buffer.from('b') } };
  await assert.rejects(codec.decode([renamed]), isCode('CodecKeyMissing'));
});

test('payloads from before the first key pass unchanged', async () => {
  const plain = sample();
  assert.deepEqual(await codecWith(newKey('a')).decode([plain]), [plain]);
});

test('malformed keys are refused without repeating them', () => {
  for (const text of ['', 'a', 'a:short', 'a:*'.padEnd(50, '*'), `${newKey('a')},${newKey('a')}`]) {
    assert.throws(
      () => parseCodecKeys(text),
      (error: Error) => isCode('CodecKeyMissing')(error) && !/[*]|[A-Za-z0-9+/]{43}=/.test(error.message),
    );
  }
});

test('nothing is left as it is, so that the next scheduled run can be told of it when the key is gone', async () => {
  const nothing = defaultPayloadConverter.toPayload(undefined);
  const kept = await codecWith(newKey('a')).encode([nothing, defaultPayloadConverter.toPayload('')]);
  assert.deepEqual(kept.map(sealOf), [undefined, 'a']);
  const [opened] = await codecWith(newKey('b')).decode(kept.slice(0, 1));
  assert.equal(opened === undefined ? null : defaultPayloadConverter.fromPayload(opened), undefined);
});

test('what calls itself nothing and has content is sealed', async () => {
  const [sealed] = await codecWith(newKey('a')).encode([
    { ...sample(), metadata: { encoding: Buffer.from('binary/null') } },
  ]);
  assert.equal(sealed === undefined ? '' : sealOf(sealed), 'a');
});

test('who only seals needs no key to pass over what another one sealed, and reads it as nothing', async () => {
  const sealed = await codecWith(newKey('gone')).encode([sample()]);
  const codec = sealOnly(codecWith(newKey('a')));
  const [opened, plain] = await codec.decode([...sealed, sample()]);
  assert.equal(opened === undefined ? null : defaultPayloadConverter.fromPayload(opened), undefined);
  assert.deepEqual(plain, sample());
  assert.deepEqual((await codec.encode([sample()])).map(sealOf), ['a']);
  assert.deepEqual(await sealOnly().encode([sample()]), [sample()]);
});
