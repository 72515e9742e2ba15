import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Failure } from '../../domain/failure.ts';
import { parseManifest } from '../../domain/image/manifest.ts';
import { parsePlatform } from '../../domain/image/platform.ts';
import { parseStrictJson } from '../../domain/image/strict-json.ts';
import { parseDigest } from '../../domain/names/digest.ts';
import { parseReference, printReference } from '../../domain/names/reference.ts';
import { parseRegistryDomain } from '../../domain/names/registry-domain.ts';
import { parseRepositoryPath } from '../../domain/names/repository-path.ts';
import { parseTag } from '../../domain/names/tag.ts';
import { addressKind } from '../../domain/registry/addresses.ts';
import { parseChallenges, planAuthentication } from '../../domain/registry/challenge.ts';
import { judgeResume, parseContentRange, uploadedBytes } from '../../domain/registry/content-range.ts';
import { nextPage } from '../../domain/registry/link.ts';
import { locationGate, originsOf, realmGate, redirectGate } from '../../domain/registry/origin.ts';
import { readRateLimit } from '../../domain/registry/rate-limit.ts';
import { parseHttpDate, retryAfterMs } from '../../domain/registry/retry-after.ts';
import { readTokenClaims } from '../../domain/registry/token-claims.ts';
import { parseTokenResponse } from '../../domain/registry/token-response.ts';

const page = new URL('https://r.example/v2/a/tags/list');
const origins = originsOf({ domain: parseRegistryDomain('r.example') });
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Every parser of outside text, and a piece of text that it likes, to mutate. */
const parsers: readonly (readonly [name: string, parse: (text: string) => unknown, seed: string])[] = [
  ['digest', parseDigest, `sha256:${'a'.repeat(64)}`],
  ['repository path', parseRepositoryPath, 'library/a__b.c'],
  ['tag', parseTag, 'v1.2.3-rc_1'],
  ['registry domain', parseRegistryDomain, '[::1]:5000'],
  ['reference', parseReference, `r.example:5000/a/b:v1@sha256:${'a'.repeat(64)}`],
  ['platform', parsePlatform, 'linux/arm64/v8'],
  ['address', addressKind, '::ffff:169.254.169.254'],
  [
    'challenge',
    (text) => planAuthentication(parseChallenges([text])),
    'Basic realm="a, \\"b", Bearer realm="https://a/t",scope="x:y:z"',
  ],
  [
    'link',
    (text) => nextPage([text], page),
    '</v2/a/tags/list?last=b&n=2>; rel="next", <x>; title="a;b"; rel=prev',
  ],
  ['content range', parseContentRange, 'bytes 1-2/3'],
  [
    'resume',
    (text) => judgeResume({ status: 206, contentRange: [text], contentType: text }, 1, 3),
    'bytes 1-2/3',
  ],
  ['upload range', uploadedBytes, '0-1048575'],
  [
    'retry after',
    (text) => retryAfterMs({ retryAfter: text, xRetryAfter: text, date: text }, 0),
    'Sun, 06 Nov 1994 08:49:37 GMT',
  ],
  ['http date', parseHttpDate, 'Sun, 06 Nov 1994 08:49:37 GMT'],
  ['rate limit', (text) => readRateLimit(() => text), '100;w=21600'],
  ['realm', (text) => realmGate(text, origins), 'https://r.example/token?x=y'],
  ['redirect', (text) => redirectGate(page, text, 1, origins), 'https://cdn.example/x?sig=y'],
  ['location', (text) => locationGate(page, text, origins), '/v2/a/blobs/uploads/1?_state=x'],
  ['token response', (text) => parseTokenResponse(bytes(text)), '{"token":"a","expires_in":300}'],
  ['token claims', readTokenClaims, 'e30.eyJhY2Nlc3MiOltdfQ.x'],
  [
    'strict JSON',
    (text) => parseStrictJson(bytes(text), { code: 'InvalidManifest' }),
    '{"a":[1,"\\u00e4",{"b":null}]}',
  ],
  ['manifest', (text) => parseManifest({ bytes: bytes(text) }), sampleManifest()],
];

/** The characters that parsers trip over. */
const sharp = fc.constantFrom(...'"\\,;=<>:/@%#?&+-._~[]{}() \t\r\n\u0000\u007f0aAfZ9é٣１💥\ud800'.split(''));
const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.string({ unit: sharp, maxLength: 200 }),
  fc.string({ unit: 'grapheme', maxLength: 60 }),
);

/** The seed with a few pieces taken out, doubled or replaced. */
const mutated = (seed: string): fc.Arbitrary<string> =>
  fc
    .array(
      fc.record({
        at: fc.nat({ max: seed.length }),
        cut: fc.nat({ max: 4 }),
        put: fc.oneof(fc.string({ unit: sharp, maxLength: 3 }), fc.constant(seed.slice(0, 20))),
      }),
      { minLength: 1, maxLength: 4 },
    )
    .map((edits) =>
      edits.reduce((text, { at, cut, put }) => text.slice(0, at) + put + text.slice(at + cut), seed),
    );

for (const [name, parse, seed] of parsers) {
  test(`A11 ${name}: 10,000 arbitrary and 5,000 nearly right texts end in a value or in a coded refusal`, () => {
    fc.assert(
      fc.property(anyText, (text) => refusesPolitely(parse, text)),
      { numRuns: 10_000 },
    );
    fc.assert(
      fc.property(mutated(seed), (text) => refusesPolitely(parse, text)),
      { numRuns: 5000 },
    );
  });

  test(`A11 ${name}: no text of 8 KiB takes more than 10 ms`, () => {
    for (const text of slowCandidates(seed)) {
      const milliseconds = Math.min(
        ...Array.from({ length: 3 }, () => duration(() => refusesPolitely(parse, text))),
      );
      assert.ok(milliseconds < 10, `${JSON.stringify(text.slice(0, 40))}: ${milliseconds.toFixed(1)} ms`);
    }
  });
}

test('A11 what a reference parser takes, it prints and takes again', () => {
  fc.assert(
    fc.property(mutated(`r.example:5000/a/b:v1@sha256:${'a'.repeat(64)}`), (text) => {
      try {
        const once = parseReference(text);
        assert.deepEqual(parseReference(printReference(once)), once);
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
      }
    }),
    { numRuns: 10_000 },
  );
});

function refusesPolitely(parse: (text: string) => unknown, text: string): void {
  try {
    parse(text);
  } catch (error) {
    assert.ok(error instanceof Failure, `${String(error)} for ${JSON.stringify(text)}`);
    assert.ok(error.message.length < 600, 'a refusal repeats no long text');
  }
}

function duration(act: () => void): number {
  const start = performance.now();
  act();
  return performance.now() - start;
}

/** Texts of 8 KiB that make backtracking patterns slow: one character, pairs, and the seed's own pieces over and over. */
function slowCandidates(seed: string): readonly string[] {
  const pieces = [
    ...'aA0 \t,;="<>\\/.:-_@%[({?&'.split(''),
    'a.',
    'a-',
    'a=',
    ', ',
    '""',
    '\\"',
    '; ',
    '<>',
    'a,',
    '0-',
    '::',
    '1.',
    seed.slice(0, 7),
    seed.slice(-7),
    `${seed},`,
  ];
  const repeated = pieces.map((piece) => piece.repeat(Math.ceil(8192 / piece.length)).slice(0, 8192));
  const ends = ['!', '"', '\u0000'];
  return [
    ...repeated,
    ...repeated.flatMap((text) => ends.map((end) => text.slice(0, 8191) + end)),
    ...repeated.map((text) => (seed + text).slice(0, 8192)),
  ];
}

function sampleManifest(): string {
  const descriptor = { mediaType: 'application/x', digest: `sha256:${'a'.repeat(64)}`, size: 3 };
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: descriptor,
    layers: [descriptor],
  });
}
