import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Descriptor } from '../../../domain/image/descriptor.ts';
import {
  isAttestation,
  matchesPlatform,
  parsePlatform,
  printPlatform,
} from '../../../domain/image/platform.ts';
import { parseDigest } from '../../../domain/names/digest.ts';
import { codeOf, refusal } from '../../support/refusal.ts';

const spellings: readonly (readonly [text: string, printed: string])[] = [
  ['linux/amd64', 'linux/amd64'],
  ['linux/arm64/v8', 'linux/arm64/v8'],
  ['Linux/ARM64/8', 'linux/arm64/v8'],
  ['linux/x86_64', 'linux/amd64'],
  ['linux/aarch64', 'linux/arm64'],
  ['macos/arm64', 'darwin/arm64'],
  ['linux/ppc64le', 'linux/ppc64le'],
];

test('platforms are read in any common spelling', () => {
  for (const [text, printed] of spellings) assert.equal(printPlatform(parsePlatform(text)), printed);
});

test('anything but os/architecture[/variant] is refused', () => {
  for (const text of [
    '',
    'linux',
    'linux/',
    '/amd64',
    'linux/amd64/v1/x',
    'linux/../amd64',
    'linux/a b',
    'linux/arm64/',
    'linux/amd64\n',
  ]) {
    refusal('InvalidName', () => parsePlatform(text));
  }
});

const matches: readonly (readonly [wanted: string, actual: string, yes: boolean])[] = [
  ['linux/arm64', 'linux/arm64/v8', true],
  ['linux/arm64', 'linux/arm64', true],
  ['linux/arm64/v8', 'linux/arm64', true],
  ['linux/arm/v7', 'linux/arm', true],
  ['linux/arm/v6', 'linux/arm', false],
  ['linux/arm', 'linux/arm/v6', true],
  ['linux/amd64', 'linux/arm64', false],
  ['linux/amd64', 'windows/amd64', false],
  ['linux/amd64/v3', 'linux/amd64', false],
  ['linux/amd64/v3', 'linux/amd64/v3', true],
];

test('a wish without variant takes any, and a missing variant is the usual one', () => {
  for (const [wanted, actual, yes] of matches) {
    assert.equal(
      matchesPlatform(parsePlatform(wanted), parsePlatform(actual)),
      yes,
      `${wanted} for ${actual}`,
    );
  }
});

test('a wish for one OS version takes only that', () => {
  const wanted = { os: 'windows', architecture: 'amd64', osVersion: '10.0.17763.1' };
  assert.ok(matchesPlatform(wanted, { ...wanted }));
  assert.ok(!matchesPlatform(wanted, { ...wanted, osVersion: '10.0.20348.1' }));
});

test('build attestations are told from images', () => {
  const child: Descriptor = { mediaType: 'a/b', digest: parseDigest(`sha256:${'a'.repeat(64)}`), size: 1 };
  assert.ok(isAttestation({ ...child, platform: { os: 'unknown', architecture: 'unknown' } }));
  assert.ok(
    isAttestation({ ...child, annotations: { 'vnd.docker.reference.type': 'attestation-manifest' } }),
  );
  assert.ok(!isAttestation({ ...child, platform: { os: 'linux', architecture: 'amd64' } }));
});

test('what prints is what was parsed, for any text', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[A-Za-z0-9._/-]{1,40}$/), (text) => {
      if (codeOf(() => parsePlatform(text)) !== 'ok') return;
      const once = parsePlatform(text);
      assert.deepEqual(parsePlatform(printPlatform(once)), once);
    }),
    { numRuns: 5000 },
  );
});
