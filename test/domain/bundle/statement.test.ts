import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkFileSet, isBundleFileName } from '../../../domain/bundle/file-set.ts';
import { parseStatement } from '../../../domain/bundle/parse-statement.ts';
import { printStatement, statementPayloadType } from '../../../domain/bundle/statement.ts';
import type { BundleStatement } from '../../../domain/bundle/statement.ts';
import { utf8 } from '../../../domain/trust/bytes.ts';
import { parseEnvelope, requireThreshold } from '../../../domain/trust/envelope.ts';
import { signEnvelope, verifyEd25519 } from '../../../infra/trust/ed25519.ts';
import { codeOf } from '../../support/refusal.ts';
import { digestOf, newSigner, statementOf } from '../../support/signed-samples.ts';

const read = (payload: Uint8Array, payloadType = statementPayloadType): BundleStatement =>
  parseStatement({ payloadType, payload, signatures: [] });
const text = Buffer.from(printStatement(statementOf())).toString('utf8');
const [blobA, blobB] = statementOf().blobs;
assert.ok(blobA !== undefined && blobB !== undefined);

test('a statement is read as it was written', () => {
  for (const changes of [{}, { prevSequence: 0, prevManifestDigest: undefined } as never]) {
    const { prevManifestDigest, ...rest } = statementOf(changes);
    const statement = prevManifestDigest === undefined ? rest : { ...rest, prevManifestDigest };
    assert.deepEqual(read(printStatement(statement)), statement);
  }
});

const statements: readonly (readonly [string, Partial<BundleStatement>, string])[] = [
  ['L17 a sum that is not true', { totalBytes: 99 }, 'BundleCorrupt'],
  ['L17 2^50 bytes', { totalBytes: 2 ** 50 }, 'BundleTooLarge'],
  ['blobs out of order', { blobs: [blobB, blobA] }, 'BundleCorrupt'],
  ['a blob twice', { blobs: [blobA, blobA], totalBytes: 20 }, 'BundleCorrupt'],
  ['a blob carried and assumed', { assumed: [blobB] }, 'BundleCorrupt'],
  ['an image that is nowhere', { blobs: [blobB], totalBytes: 90 }, 'BundleCorrupt'],
  ['a base of the future', { base: { sequence: 4, digest: digestOf('4') } }, 'BundleCorrupt'],
  ['an expiry before the creation', { expires: '2026-10-01T00:00:00.000Z' }, 'BundleCorrupt'],
  [
    'L17 100,000 blobs',
    { blobs: Array.from({ length: 30_001 }, () => blobA), totalBytes: 300_010 },
    'BundleTooLarge',
  ],
];
for (const [why, changes, code] of statements) {
  test(`${why} is refused: ${code}`, () => {
    assert.equal(
      codeOf(() => read(printStatement(statementOf(changes)))),
      code,
    );
  });
}

const texts: readonly (readonly [string, string, string, string])[] = [
  ['M08 another predicate type', 'bundle/v1', 'bundle/v2', 'WrongPredicate'],
  ['M08 another statement type', 'Statement/v1', 'Statement/v0.1', 'WrongPredicate'],
  ['a newer format', '"bundleFormat":1', '"bundleFormat":3', 'WrongPredicate'],
  ['a format of inventories without one', '"bundleFormat":1', '"bundleFormat":2', 'BundleCorrupt'],
  ['an unknown field', '"bundleFormat":1', '"bundleFormat":1,"evil":true', 'BundleCorrupt'],
  ['site and audience that differ', '"audience":"plant-7"', '"audience":"plant-8"', 'BundleCorrupt'],
  ['a key that comes twice', '"totalBytes":100', '"totalBytes":7,"totalBytes":100', 'BundleCorrupt'],
  ['white space', '"totalBytes":100', '"totalBytes": 100', 'BundleCorrupt'],
  ['a number in another spelling', '"totalBytes":100', '"totalBytes":1e2', 'BundleCorrupt'],
  ['A01 a digest that climbs', digestOf('b'), 'sha256:../../../etc/passwd', 'InvalidDigest'],
  ['K16 a repository that climbs', '"edge/app"', '"../app"', 'InvalidRepository'],
];
for (const [why, from, to, code] of texts) {
  test(`${why} is refused: ${code}`, () => {
    assert.ok(text.includes(from));
    assert.equal(
      codeOf(() => read(utf8(text.replace(from, to)))),
      code,
    );
  });
}

test('M07 a payload of another type is no bundle', () => {
  assert.equal(
    codeOf(() => read(printStatement(statementOf()), 'text/plain')),
    'WrongPredicate',
  );
});

test('10,000 random changes of a signed manifest: none is taken', () => {
  const signer = newSigner();
  const original = signEnvelope(statementPayloadType, printStatement(statementOf()), [signer]);
  let accepted = 0;
  for (let round = 0; round < 10_000; round += 1) {
    const code = codeOf(() => {
      const envelope = parseEnvelope(mutate(original));
      requireThreshold(envelope, { keys: [signer.key], threshold: 1 }, verifyEd25519);
      parseStatement(envelope);
    });
    if (code === 'ok') accepted += 1;
  }
  assert.equal(accepted, 0);
});

/** One change that is surely one: a bit, a cut, an insertion, a doubled or moved part. */
function mutate(bytes: Uint8Array): Uint8Array {
  for (;;) {
    const at = Math.floor(Math.random() * bytes.length);
    const [head, tail] = [bytes.subarray(0, at), bytes.subarray(at)];
    const byte = Uint8Array.of(Math.floor(Math.random() * 256));
    const bit = Uint8Array.of((bytes[at] ?? 0) ^ (1 << Math.floor(Math.random() * 8)));
    const changes = [
      [head, bit, tail.subarray(1)],
      [head],
      [head, byte, tail],
      [head, tail.subarray(1 + Math.floor(Math.random() * 40))],
      [head, tail.subarray(0, 30), tail],
      [tail, head],
    ];
    const changed = Buffer.concat(changes[Math.floor(Math.random() * changes.length)] ?? []);
    if (!changed.equals(bytes)) return changed;
  }
}

const complete = [
  { name: 'oci-layout', size: 30 },
  { name: 'index.json', size: 300 },
  { name: 'manifest.dsse.json', size: 900 },
  { name: 'roots/root.1.json', size: 400 },
  { name: `blobs/sha256/${'a'.repeat(64)}`, size: 10 },
  { name: `blobs/sha256/${'b'.repeat(64)}`, size: 90 },
];

test('the file set has to be exactly the signed one', () => {
  const without = (name: string) => complete.filter((file) => file.name !== name);
  checkFileSet(statementOf(), complete);
  const cases = [
    ['L02 a blob is missing', without(`blobs/sha256/${'b'.repeat(64)}`), 'BundleIncomplete'],
    ['a root is missing', without('roots/root.1.json'), 'BundleIncomplete'],
    ['L10 index.json is missing', without('index.json'), 'LayoutInvalid'],
    ['L10 oci-layout is missing', without('oci-layout'), 'LayoutInvalid'],
    ['a file too many', [...complete, { name: `blobs/sha256/${'c'.repeat(64)}`, size: 1 }], 'BundleCorrupt'],
    ['a root too many', [...complete, { name: 'roots/root.2.json', size: 1 }], 'BundleCorrupt'],
    [
      'L03 a blob of another size',
      complete.map((file) => (file.size === 90 ? { ...file, size: 91 } : file)),
      'BundleCorrupt',
    ],
  ] as const;
  for (const [why, files, code] of cases) {
    assert.equal(
      codeOf(() => checkFileSet(statementOf(), files)),
      code,
      why,
    );
  }
});

test('L07 names of another case, form or place are no names of a bundle', () => {
  const names =
    'Index.json blobs/sha256/ABC ../index.json ./index.json /index.json roots/root.01.json roots/root.0.json blobs'.split(
      ' ',
    );
  names.push(`blobs/sha256/${'A'.repeat(64)}`, `blobs/SHA256/${'a'.repeat(64)}`, 'index.json\n');
  for (const name of names) assert.equal(isBundleFileName(name), false, name);
  for (const { name } of complete) assert.equal(isBundleFileName(name), true, name);
});
