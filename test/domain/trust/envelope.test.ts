import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fromBase64, toBase64, utf8 } from '../../../domain/trust/bytes.ts';
import {
  maxEnvelopeBytes,
  parseEnvelope,
  preAuthEncoding,
  printEnvelope,
  requireThreshold,
} from '../../../domain/trust/envelope.ts';
import { signEnvelope, verifyEd25519 } from '../../../infra/trust/ed25519.ts';
import { codeOf } from '../../support/refusal.ts';
import { newSigner } from '../../support/signed-samples.ts';

const [alice, bob, eve] = [newSigner(), newSigner(), newSigner()];
const payload = utf8('{"hello":"site"}');
const both = { keys: [alice.key, bob.key], threshold: 2 };
const either = { keys: [alice.key, bob.key], threshold: 1 };

test('M10 the pre-authentication encoding counts bytes and matches the vector of the DSSE spec', () => {
  const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');
  assert.equal(
    text(preAuthEncoding('http://example.com/HelloWorld', utf8('hello world'))),
    'DSSEv1 29 http://example.com/HelloWorld 11 hello world',
  );
  assert.equal(text(preAuthEncoding('é', utf8('离线'))), 'DSSEv1 2 é 6 离线');
});

test('an envelope that enough keys signed is taken', () => {
  requireThreshold(parseEnvelope(signEnvelope('t', payload, [alice, bob])), both, verifyEd25519);
  requireThreshold(parseEnvelope(signEnvelope('t', payload, [bob, eve])), either, verifyEd25519);
});

test('L01 M06 M07 too few, unknown, doubled and misnamed signatures are refused', () => {
  const signed = parseEnvelope(signEnvelope('t', payload, [alice]));
  const [first] = signed.signatures;
  assert.ok(first);
  const cases = [
    { envelope: { ...signed, signatures: [] }, signers: either, code: 'SignatureInvalid' },
    { envelope: parseEnvelope(signEnvelope('t', payload, [eve])), signers: either, code: 'SignatureInvalid' },
    { envelope: signed, signers: both, code: 'ThresholdNotMet' },
    { envelope: { ...signed, signatures: [first, first] }, signers: both, code: 'ThresholdNotMet' },
    {
      envelope: { ...signed, signatures: [first, { ...first, keyid: bob.key }] },
      signers: both,
      code: 'ThresholdNotMet',
    },
    { envelope: { ...signed, payloadType: 'u' }, signers: either, code: 'SignatureInvalid' },
  ];
  for (const { envelope, signers, code } of cases) {
    assert.equal(
      codeOf(() => requireThreshold(envelope, signers, verifyEd25519)),
      code,
    );
  }
});

test('M15 more than 16 signatures and more than 4 MiB are refused before anything is verified', () => {
  const { signatures } = parseEnvelope(signEnvelope('t', payload, [alice]));
  const many = printEnvelope({ payloadType: 't', payload, signatures: Array(17).fill(signatures[0]) });
  assert.equal(
    codeOf(() => parseEnvelope(many)),
    'TooManySignatures',
  );
  assert.equal(
    codeOf(() => parseEnvelope(new Uint8Array(maxEnvelopeBytes + 1))),
    'BundleTooLarge',
  );
});

test('an envelope has one spelling: no other bytes are read as one', () => {
  const bytes = signEnvelope('t', payload, [alice]);
  const text = Buffer.from(bytes).toString('utf8');
  const spellings = [
    ` ${text}`,
    text.trim(),
    text.replace('{', '{"extra":1,'),
    text.replace('"payloadType"', '"payloadType":"t","payloadType"'),
    text.replace('"t"', '"\\u0074"'),
    text.replaceAll('"', "'"),
    '[]',
    'null',
  ];
  for (const spelling of spellings) {
    assert.equal(
      codeOf(() => parseEnvelope(utf8(spelling))),
      'SignatureInvalid',
      spelling.slice(0, 40),
    );
  }
});

test('base64 reads what it prints and nothing else', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      assert.equal(toBase64(bytes), Buffer.from(bytes).toString('base64'));
      assert.deepEqual(fromBase64(toBase64(bytes)), bytes);
    }),
  );
  for (const text of ['QQ', 'QR==', 'QQ==\n', 'Q=Q=', '====', 'QUI_', ' QUI=']) {
    assert.equal(fromBase64(text), undefined, text);
  }
});
