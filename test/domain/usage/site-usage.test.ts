import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openSiteUsage } from '../../../domain/bundle/site-letter.ts';
import { openReceipt, printReceipt, type Receipt } from '../../../domain/bundle/receipt.ts';
import { statementPayloadType } from '../../../domain/bundle/statement.ts';
import { parseSiteName } from '../../../domain/names/kubernetes-name.ts';
import { parsePodList } from '../../../domain/usage/pod-list.ts';
import { imagesInUse, imageTexts } from '../../../domain/usage/pod-usage.ts';
import { siteUsage, usageTexts, type SiteUsage } from '../../../domain/usage/site-usage.ts';
import { signEnvelope, verifyEd25519 } from '../../../infra/trust/ed25519.ts';
import { codeOf, refusal } from '../../support/refusal.ts';
import { digestOf, newSigner } from '../../support/signed-samples.ts';

const [one, two] = [digestOf('a'), digestOf('b')];
const pod = {
  kind: 'Pod',
  metadata: { namespace: 'default', name: 'p' },
  spec: {
    containers: [{ name: 'app', image: 'edge:5000/app:1' }],
    initContainers: [{ name: 'init', image: 'busybox' }],
    volumes: [{ name: 'none' }, { name: 'data', image: { reference: 'edge:5000/data:2' } }],
  },
  status: {
    containerStatuses: [
      { image: 'edge:5000/app:1', imageID: `edge:5000/app@${two}` },
      { image: '', imageID: one },
    ],
  },
};
const list = { apiVersion: 'v1', kind: 'List', metadata: { resourceVersion: '' }, items: [pod] };
const parse = (value: unknown) => parsePodList(Buffer.from(JSON.stringify(value)));

test('what kubectl prints of Pods is read with every kind of container, of volume and of status', () => {
  const usage = siteUsage(imageTexts(parse(list)), '2026-01-01T00:00:00.000Z');
  assert.deepEqual(usage.names, ['docker.io/library/busybox:latest', 'edge:5000/app:1', 'edge:5000/data:2']);
  assert.deepEqual(usage.digests, [one, two]);
  const { kind: _, ...untyped } = pod;
  assert.equal(parse({ ...list, kind: 'PodList', items: [untyped] }).length, 1, 'as the API answers');
});

const strange: readonly (readonly [string, unknown])[] = [
  ['one Pod instead of a list', pod],
  ['no Pod at all', { ...list, items: [] }],
  ['no items', { kind: 'List' }],
  ['a part of the list', { ...list, metadata: { continue: 'more' } }],
  ['other things', { ...list, items: [{ ...pod, kind: 'Deployment' }] }],
  ['a Pod without containers', { ...list, items: [{ ...pod, spec: {} }] }],
  ['an image that is no text', { ...list, items: [{ ...pod, spec: { containers: [{ image: 1 }] } }] }],
  ['containers that are no list', { ...list, items: [{ ...pod, spec: { containers: {} } }] }],
];
for (const [what, value] of strange)
  test(`Pods: ${what} tells nothing, which is never no use`, () => {
    refusal('UsageUnknown', () => parse(value));
  });

test('a list of Pods that was cut off tells nothing', () => {
  const bytes = Buffer.from(JSON.stringify(list));
  for (let length = 0; length < bytes.length; length += 17)
    refusal('UsageUnknown', () => parsePodList(bytes.subarray(0, length)));
});

test('the usage a site tells protects the same as its Pods would if they were asked', () => {
  const texts = ['nginx', 'nginx:1', `ghcr.io/a/b:1@${one}`, `docker://${two}`, 'nginx', `a@${one}`];
  const told = imagesInUse(usageTexts(siteUsage(texts, '2026-01-01T00:00:00.000Z')));
  assert.deepEqual([told.names, told.digests], [imagesInUse(texts).names, imagesInUse(texts).digests]);
});

test('more images than a letter takes are refused, not cut', () => {
  const texts = Array.from({ length: 4001 }, (_, index) => `app:${index}`);
  refusal('BundleTooLarge', () => siteUsage(texts, '2026-01-01T00:00:00.000Z'));
});

const usage = siteUsage(['app:1', one], '2026-11-09T00:00:00.000Z');
const receipt: Receipt = {
  site: parseSiteName('plant-7'),
  sequence: 4,
  bundleDigest: digestOf('4'),
  completedAt: '2026-11-10T00:00:00.000Z',
  images: [],
  clockOverridden: false,
};
const key = newSigner();
const signed = (payload: Uint8Array) => signEnvelope(statementPayloadType, payload, [key]);

test('a receipt carries the usage under its signature; one without it is as it always was', () => {
  const told = signed(printReceipt({ ...receipt, usage }));
  assert.deepEqual(openReceipt(told, key.key, verifyEd25519), { ...receipt, usage });
  assert.deepEqual(openSiteUsage(told, key.key, verifyEd25519).usage, usage);
  refusal('SignatureInvalid', () => openSiteUsage(told, newSigner().key, verifyEd25519));
  assert.match(Buffer.from(printReceipt(receipt)).toString(), /"receiptFormat":1,/);
  assert.equal(openSiteUsage(signed(printReceipt(receipt)), key.key, verifyEd25519).usage, undefined);
});

const [a, b] = ['docker.io/library/a:1', 'docker.io/library/b:1'];
const wrong: readonly (readonly [string, object])[] = [
  ['out of order', { ...usage, names: [b, a] }],
  ['a name twice', { ...usage, names: [a, a] }],
  ['a name that is a number', { ...usage, names: [1] }],
  ['a digest that is none', { ...usage, digests: ['sha256:1'] }],
  ['a time that is none', { ...usage, observedAt: 'today' }],
  ['one field more', { ...usage, note: 'x' }],
];
for (const [what, value] of wrong)
  test(`a usage with ${what} makes the whole receipt invalid`, () => {
    const file = signed(printReceipt({ ...receipt, usage: value as SiteUsage }));
    assert.notEqual(
      codeOf(() => openReceipt(file, key.key, verifyEd25519)),
      'ok',
    );
  });
