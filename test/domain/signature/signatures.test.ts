import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import type { FailureCode } from '../../../domain/failure.ts';
import { parseDigest } from '../../../domain/names/digest.ts';
import { judgeSignatures, type SignedClaim } from '../../../domain/signature/judge-signatures.ts';
import { parseSigningKeys } from '../../../domain/signature/signing-key.ts';
import { sigstoreClaim } from '../../../domain/signature/sigstore-bundle.ts';
import { simpleSigningClaim } from '../../../domain/signature/simple-signing.ts';
import { utf8 } from '../../../domain/trust/bytes.ts';
import { verifyBySigningKey } from '../../../infra/trust/signing-key-verifier.ts';
import { byCosign } from '../../support/cosign-samples.ts';
import { cosignSigner } from '../../support/cosign-signer.ts';
import { refusal } from '../../support/refusal.ts';

const digest = parseDigest(`sha256:${'a'.repeat(64)}`);
const other = `sha256:${'b'.repeat(64)}`;

function judge(
  claims: readonly (SignedClaim | undefined)[],
  pem: string,
  annotations = {},
  of = digest,
): void {
  const real = claims.filter((claim) => claim !== undefined);
  judgeSignatures(of, real, { keys: parseSigningKeys(pem), annotations }, verifyBySigningKey);
}

const simple = (signed: { payload: Uint8Array; signature: string }): SignedClaim =>
  simpleSigningClaim(signed.payload, signed.signature);

test('what cosign itself signed is accepted, by tag and as a bundle, and only for its image, key and annotations', () => {
  const { publicKey, payload, signature, bundle } = byCosign;
  const of = parseDigest(byCosign.digest);
  const claims = [simpleSigningClaim(utf8(payload), signature), sigstoreClaim(utf8(bundle))];
  for (const claim of claims) {
    judge([claim], publicKey, { env: 'prod' }, of);
    assert.equal(
      refusal('SignatureInvalid', () => judge([claim], publicKey, { env: 'dev' }, of)).detail,
      'annotation env is prod',
    );
    assert.equal(
      refusal('SignatureInvalid', () => judge([claim], publicKey)).detail,
      'another image is signed',
    );
    const stranger = cosignSigner().publicKey;
    assert.equal(
      refusal('SignatureInvalid', () => judge([claim], stranger, {}, of)).detail,
      'no trusted key signed',
    );
  }
});

for (const algorithm of ['ecdsa-p256', 'ed25519'] as const) {
  test(`${algorithm}: signatures of both forms count under their own key, one of many is enough`, () => {
    const [signer, stranger] = [cosignSigner(algorithm), cosignSigner(algorithm)];
    const keys = stranger.publicKey + signer.publicKey;
    judge([simple(signer.simple(digest))], keys);
    judge([sigstoreClaim(signer.bundle(digest))], keys);
    judge([simple(stranger.simple(digest)), simple(signer.simple(digest))], signer.publicKey);
  });
}

const signer = cosignSigner();
const stranger = cosignSigner();
const good = signer.simple(digest, { env: 'prod' });
const refusals: readonly (readonly [string, readonly (SignedClaim | undefined)[], FailureCode, string])[] = [
  ['no signature', [], 'SignatureRequired', ''],
  [
    'an attestation in place of a signature',
    [sigstoreClaim(signer.bundle(digest, {}, 'https://slsa.dev/provenance/v1'))],
    'SignatureRequired',
    '',
  ],
  [
    'a stranger\u2019s signature',
    [simple(stranger.simple(digest))],
    'SignatureInvalid',
    'no trusted key signed',
  ],
  [
    'a signature of another image',
    [simple(signer.simple(other))],
    'SignatureInvalid',
    'another image is signed',
  ],
  [
    'a good signature over another payload',
    [simple({ payload: stranger.simple(other).payload, signature: good.signature })],
    'SignatureInvalid',
    'no trusted key signed',
  ],
  [
    'a wrong annotation',
    [simple(signer.simple(digest, { env: 'dev' }))],
    'SignatureInvalid',
    'annotation env is dev',
  ],
  ['a missing annotation', [simple(signer.simple(digest))], 'SignatureInvalid', 'annotation env is missing'],
  [
    'an annotation that is no text',
    [simple(signer.simple(digest, { env: ['prod'] }))],
    'SignatureInvalid',
    'annotation env is missing',
  ],
  [
    'a name from the prototype',
    [sigstoreClaim(signer.bundle(digest, { constructor: 'x' }))],
    'SignatureInvalid',
    'annotation env is missing',
  ],
  [
    'annotations of one and the digest of another',
    [simple(signer.simple(other, { env: 'prod' })), simple(signer.simple(digest))],
    'SignatureInvalid',
    'annotation env is missing',
  ],
];
for (const [what, claims, code, detail] of refusals) {
  test(`${what} is refused with ${code}`, () => {
    const told = refusal(code, () => judge(claims, signer.publicKey, { env: 'prod' }));
    assert.equal(told.detail ?? '', detail);
  });
}

test('what is malformed is no signature, whatever is wrong with it', () => {
  const { payload, signature } = good;
  const texts = [
    '',
    '{}',
    '[]',
    '{"critical":[]}',
    `${payload.toString()}x`,
    payload.toString().replace('cosign container', 'another'),
  ];
  for (const text of texts) {
    refusal('SignatureInvalid', () => simpleSigningClaim(utf8(text), signature));
  }
  for (const text of [undefined, '', 'not base64!', signature.slice(1)]) {
    refusal('SignatureInvalid', () => simpleSigningClaim(payload, text));
  }
  const twice = '"critical":{},';
  const doubled = payload.toString().replace('{"critical"', `{${twice}"critical"`);
  refusal('SignatureInvalid', () => simpleSigningClaim(utf8(doubled), signature));
  const bundle = JSON.parse(signer.bundle(digest).toString());
  for (const change of [{ payload: '!' }, { signatures: {} }, { signatures: [{}] }]) {
    const text = JSON.stringify({ ...bundle, dsseEnvelope: { ...bundle.dsseEnvelope, ...change } });
    refusal('SignatureInvalid', () => sigstoreClaim(utf8(text)));
  }
});

test('no bit of a signed payload or its signature is free', () => {
  for (let position = 0; position < good.payload.length; position += 1) {
    const changed = Buffer.from(good.payload);
    changed[position] = (changed[position] ?? 0) ^ 1;
    const attempt = () => judge([simple({ payload: changed, signature: good.signature })], signer.publicKey);
    refusal('SignatureInvalid', attempt);
  }
});

const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey.export({
  type: 'spki',
  format: 'pem',
});
const privateKey = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' });
const badKeys: Readonly<Record<string, string>> = {
  'an RSA key': cosignSigner('rsa').publicKey,
  'a P-384 key': String(p384),
  'a private key': String(privateKey),
  'no key': '',
  'a key and more': `${signer.publicKey}and more`,
  'nine keys': Array.from({ length: 9 }, () => signer.publicKey).join(''),
};
for (const [what, pem] of Object.entries(badKeys)) {
  test(`${what} is refused as a public key, and not quoted`, () => {
    const told = refusal('RootInvalid', () => parseSigningKeys(pem));
    assert.ok(!told.message.includes('MC4CAQAw') && !told.message.includes('BEGIN'));
  });
}
