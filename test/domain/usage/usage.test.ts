import assert from 'node:assert/strict';
import { test } from 'node:test';
import { imagesInUse, imageTexts, readImage } from '../../../domain/usage/pod-usage.ts';
import { combineUsage, usageMaxAgeMs } from '../../../domain/usage/usage-report.ts';
import { ledgerGapMs, recordUse } from '../../../domain/usage/use-ledger.ts';

const digest = `sha256:${'a'.repeat(64)}`;

const rows: readonly (readonly [string, ReturnType<typeof readImage>])[] = [
  ['nginx', { name: 'docker.io/library/nginx:latest' }],
  ['nginx:1', { name: 'docker.io/library/nginx:1' }],
  ['a/b:1', { name: 'docker.io/a/b:1' }],
  ['index.docker.io/nginx:1', { name: 'docker.io/library/nginx:1' }],
  ['edge:5000/a/b', { name: 'edge:5000/a/b:latest' }],
  ['localhost/a:2', { name: 'localhost/a:2' }],
  [`ghcr.io/a/b@${digest}`, { digest }],
  [`ghcr.io/a/b:1@${digest}`, { name: 'ghcr.io/a/b:1', digest }],
  [`docker-pullable://nginx@${digest}`, { digest }],
  [digest, { digest }],
  [`docker://${digest}`, { digest }],
  ['', {}],
];
for (const [text, expected] of rows) {
  test(`the image '${text.slice(0, 40)}' is read as a runtime reads it`, () =>
    assert.deepEqual(readImage(text), expected));
}

test('a Pod uses what its spec says and what its status reports', () => {
  const pod = {
    namespace: 'a',
    name: 'p',
    images: ['app:1', ''],
    statuses: [{ image: 'mirror.local/app:1', imageID: `mirror.local/app@${digest}` }],
  };
  const used = imagesInUse(imageTexts([pod]));
  assert.deepEqual([...used.names], ['docker.io/library/app:1', 'mirror.local/app:1']);
  assert.deepEqual([...used.digests], [digest]);
});

test('a report may count for longer than others, and not for ever', () => {
  const inUse = { digests: new Set([digest]), names: new Set<string>() };
  const report = { source: 'ship', observed: 1_000_000_000, inUse, maxAgeMs: 3 * usageMaxAgeMs };
  const missing = (later: number) => combineUsage(['ship'], [report], 1_000_000_000 + later).missing;
  assert.deepEqual(missing(3 * usageMaxAgeMs), []);
  assert.deepEqual(missing(3 * usageMaxAgeMs + 1), ['ship']);
});

test('J12 usage is complete only when every expected source has answered lately', () => {
  const inUse = { digests: new Set([digest]), names: new Set<string>() };
  const combined = combineUsage(
    ['hub', 'edge-1', 'edge-2'],
    [
      { source: 'hub', observed: 1_000_000_000, inUse },
      { source: 'edge-1', observed: 1_000_000_000 - usageMaxAgeMs - 1, inUse },
    ],
    1_000_000_000,
  );
  assert.deepEqual(combined.missing, ['edge-1', 'edge-2']);
  assert.ok(combined.digests.has(digest));
});

test('the ledger remembers the last use, and starts anew after a gap', () => {
  const inUse = { digests: new Set([digest]), names: new Set<string>() };
  const none = { digests: new Set<string>(), names: new Set<string>() };
  const first = recordUse(undefined, inUse, 1000);
  const second = recordUse(first, none, 2000);
  assert.deepEqual(second, { since: 1000, looked: 2000, lastUsed: { [digest]: 1000 } });
  const late = 2000 + ledgerGapMs + 1;
  assert.deepEqual(recordUse(second, none, late), {
    since: late,
    looked: late,
    lastUsed: { [digest]: 1000 },
  });
  assert.equal(recordUse(second, none, 500).since, 500, 'a clock that went back');
});
