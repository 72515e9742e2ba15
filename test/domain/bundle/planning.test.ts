import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { planDelta, type WantedImage } from '../../../domain/bundle/delta.ts';
import { judgeReceipt, openReceipt, printReceipt, type Receipt } from '../../../domain/bundle/receipt.ts';
import { planRetention, type KeptBundle } from '../../../domain/bundle/retention.ts';
import { statementPayloadType } from '../../../domain/bundle/statement.ts';
import { parseSiteName } from '../../../domain/names/kubernetes-name.ts';
import { parseRepositoryPath } from '../../../domain/names/repository-path.ts';
import { parseTag } from '../../../domain/names/tag.ts';
import { signEnvelope, verifyEd25519 } from '../../../infra/trust/ed25519.ts';
import { codeOf } from '../../support/refusal.ts';
import { digestOf, newSigner } from '../../support/signed-samples.ts';

const site = parseSiteName('plant-7');
const repo = parseRepositoryPath('edge/app');
const mediaType = 'application/vnd.oci.image.manifest.v1+json';

/** An image of the named parts; the first is its manifest, and each has 10 bytes. */
function image(tag: string, parts: string): WantedImage {
  const content = Array.from(parts).map((digit) => ({ mediaType, digest: digestOf(digit), size: 10 }));
  return {
    repo,
    tag: parseTag(tag),
    digest: digestOf(parts[0] ?? ''),
    mediaType,
    size: 10,
    content,
    referrers: [],
  };
}

test('a delta carries exactly what the base lacks, each blob once', () => {
  const base = planDelta([image('v1', 'abc')]);
  assert.deepEqual(base.bytes, { full: 30, carried: 30, saved: 0 });
  const next = planDelta([image('v1', 'abc'), image('v2', 'dbce')], {
    sequence: 1,
    digest: digestOf('1'),
    content: base.carried,
  });
  assert.deepEqual(
    next.carried.map(({ digest }) => digest),
    [digestOf('d'), digestOf('e')],
  );
  assert.deepEqual(next.bytes, { full: 50, carried: 20, saved: 30 });
});

test('carried and assumed are a partition of what is wanted, whatever the base', () => {
  const parts = fc.string({
    unit: fc.constantFrom('0', '1', '2', '3', 'a', 'b', 'c', 'd'),
    minLength: 1,
    maxLength: 8,
  });
  fc.assert(
    fc.property(fc.array(parts, { maxLength: 6 }), fc.option(parts, { nil: undefined }), (images, held) => {
      const wanted = images.map((letters, index) => image(`v${index}`, letters));
      const content = planDelta([image('base', held ?? '0')]).carried;
      const plan = planDelta(
        wanted,
        held === undefined ? undefined : { sequence: 1, digest: digestOf('1'), content },
      );
      const all = [...plan.carried, ...plan.assumed].map(({ digest }) => digest);
      assert.deepEqual(
        new Set(all),
        new Set(wanted.flatMap((each) => each.content.map(({ digest }) => digest))),
      );
      assert.equal(new Set(all).size, all.length);
      assert.equal(plan.bytes.full, all.length * 10);
      if (held === undefined) assert.equal(plan.assumed.length, 0);
    }),
  );
});

const receipt: Receipt = {
  site,
  sequence: 4,
  bundleDigest: digestOf('4'),
  completedAt: '2026-11-10T00:00:00.000Z',
  images: [{ repo, tag: parseTag('v1'), digest: digestOf('a') }],
  clockOverridden: false,
};

test('a receipt is believed only under the key of its site', () => {
  const [key, other] = [newSigner(), newSigner()];
  const file = signEnvelope(statementPayloadType, printReceipt(receipt), [key]);
  assert.deepEqual(openReceipt(file, key.key, verifyEd25519), receipt);
  assert.equal(
    codeOf(() => openReceipt(file, other.key, verifyEd25519)),
    'SignatureInvalid',
  );
});

test('a receipt moves the base forward only, and only to what was staged', () => {
  const four = { sequence: 4, digest: digestOf('4') };
  const judge = (staged: typeof four | undefined, known: typeof four | undefined, at = site): string => {
    let verdict = '';
    const code = codeOf(() => {
      verdict = judgeReceipt(receipt, at, staged, known);
    });
    return code === 'ok' ? verdict : code;
  };
  assert.equal(judge(four, undefined), 'advance');
  assert.equal(judge(four, { sequence: 3, digest: digestOf('3') }), 'advance');
  assert.equal(judge(four, four), 'repeat');
  assert.equal(judge(four, { sequence: 5, digest: digestOf('5') }), 'stale');
  assert.equal(judge(undefined, undefined), 'BundleNotFound');
  assert.equal(judge({ sequence: 4, digest: digestOf('9') }, undefined), 'Equivocation');
  assert.equal(judge(four, undefined, parseSiteName('plant-8')), 'WrongAudience');
});

const day = 86_400_000;
const now = 100 * day;
const bundle = (sequence: number, content: string, expiresInDays = 10): KeptBundle => ({
  site,
  sequence,
  expires: new Date(now + expiresInDays * day).toISOString(),
  content: Array.from(content).map(digestOf),
});

test('retention keeps the base, what is on its way, what is being staged and what is young', () => {
  const plan = planRetention({
    bundles: [bundle(1, 'ab'), bundle(2, 'bc'), bundle(3, 'cd'), bundle(4, 'de', -1)],
    acknowledged: new Map([[site, 2]]),
    inProgress: [digestOf('f')],
    pool: Array.from('abcdef09').map((digit) => ({
      digest: digestOf(digit),
      size: 10,
      modified: digit === '9' ? now - 1000 : now - 30 * day,
    })),
    now,
    grace: day,
  });
  assert.deepEqual(
    plan.bundles.map(({ fate }) => fate),
    ['dropped: superseded', 'kept: acknowledged base', 'kept: not yet acknowledged', 'dropped: expired'],
  );
  assert.deepEqual(
    plan.sweep.map(({ digest }) => digest),
    [digestOf('a'), digestOf('e'), digestOf('0')],
  );
});
