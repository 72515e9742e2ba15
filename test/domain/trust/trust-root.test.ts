import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utf8 } from '../../../domain/trust/bytes.ts';
import { pinRoot, printRoot, rootPayloadType, succeedRoot } from '../../../domain/trust/trust-root.ts';
import { signEnvelope, verifyEd25519 } from '../../../infra/trust/ed25519.ts';
import { codeOf } from '../../support/refusal.ts';
import { newSigner, rootOf, signRoot } from '../../support/signed-samples.ts';

const [alice, bob, carol] = [newSigner(), newSigner(), newSigner()];
const first = rootOf(1, [alice, bob], { root: { keys: [alice.key, bob.key], threshold: 2 } });
const second = rootOf(2, [bob, carol], { root: { keys: [bob.key, carol.key], threshold: 2 } });
const everybody = [alice, bob, carol];

test('a first root is pinned by its own threshold', () => {
  assert.deepEqual(pinRoot(signRoot(first, [alice, bob]), verifyEd25519), first);
  assert.equal(
    codeOf(() => pinRoot(signRoot(first, [alice]), verifyEd25519)),
    'RootInvalid',
  );
});

test('a successor that the old and the new keys signed is adopted', () => {
  assert.deepEqual(succeedRoot(first, signRoot(second, everybody), verifyEd25519), second);
});

test('M11 M13 successors that skip, look back or lack a threshold are refused', () => {
  const cases = [
    { bytes: signRoot(second, [bob, carol]), code: 'RootInvalid' },
    { bytes: signRoot(second, [alice, bob]), code: 'RootInvalid' },
    { bytes: signRoot({ ...second, version: 3 }, everybody), code: 'RootInvalid' },
    { bytes: signRoot(first, [alice, bob]), code: 'Rollback' },
    { bytes: signEnvelope('text/plain', printRoot(second), everybody), code: 'RootInvalid' },
    {
      bytes: signEnvelope(rootPayloadType, utf8(`${Buffer.from(printRoot(second)).toString()} `), everybody),
      code: 'RootInvalid',
    },
  ];
  for (const { bytes, code } of cases) {
    assert.equal(
      codeOf(() => succeedRoot(first, bytes, verifyEd25519)),
      code,
    );
  }
});

test('a root cannot list a key twice, or ask for more keys than it has', () => {
  for (const set of [
    { keys: [alice.key, alice.key], threshold: 1 },
    { keys: [alice.key], threshold: 2 },
  ]) {
    const bytes = signRoot({ ...first, bundle: set }, [alice, bob]);
    assert.equal(
      codeOf(() => pinRoot(bytes, verifyEd25519)),
      'RootInvalid',
    );
  }
});
