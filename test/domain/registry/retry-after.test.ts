import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseHttpDate, retryAfterMs } from '../../../domain/registry/retry-after.ts';
import { readRateLimit } from '../../../domain/registry/rate-limit.ts';

const now = Date.UTC(2026, 10, 24, 8, 49, 37);
const hour = 3_600_000;

test('an HTTP date is read in the one form that servers may send', () => {
  assert.equal(parseHttpDate('Sun, 06 Nov 1994 08:49:37 GMT'), Date.UTC(1994, 10, 6, 8, 49, 37));
  for (const text of [
    'Sunday, 06-Nov-94 08:49:37 GMT',
    'Sun Nov  6 08:49:37 1994',
    '2026-11-24',
    'Sun, 06 Foo 1994 08:49:37 GMT',
  ]) {
    assert.equal(parseHttpDate(text), undefined);
  }
});

test('unix time in X-Retry-After, and even in Retry-After, is a point in time', () => {
  assert.equal(retryAfterMs({ xRetryAfter: String(now / 1000 + 90) }, now), 90_000);
  assert.equal(retryAfterMs({ retryAfter: String(now / 1000 + 90) }, now), 90_000);
  assert.equal(retryAfterMs({ retryAfter: '7', xRetryAfter: String(now / 1000 + 90) }, now), 7000);
});

test("a date is measured against the server's own clock where it tells it", () => {
  const headers = { retryAfter: 'Tue, 24 Nov 2026 09:00:30 GMT', date: 'Tue, 24 Nov 2026 09:00:00 GMT' };
  assert.equal(retryAfterMs(headers, now), 30_000);
});

test('fractions are seconds too, and nothing waits longer than an hour', () => {
  assert.equal(retryAfterMs({ retryAfter: '1.5' }, now), 1500);
  assert.equal(retryAfterMs({ retryAfter: '999999999999999' }, now), hour);
  assert.equal(retryAfterMs({}, now), undefined);
});

const limits: readonly (readonly [headers: Readonly<Record<string, string>>, expected: unknown])[] = [
  [
    { 'ratelimit-limit': '100;w=21600', 'ratelimit-remaining': '76;w=21600' },
    { remaining: 76, limit: 100, windowSeconds: 21_600 },
  ],
  [
    { 'x-ratelimit-limit': '180', 'x-ratelimit-remaining': '0' },
    { remaining: 0, limit: 180 },
  ],
  [{ 'ratelimit-remaining': '5' }, { remaining: 5 }],
  [{ 'ratelimit-limit': '100' }, undefined],
  [{ 'ratelimit-remaining': 'many' }, undefined],
  [{}, undefined],
];

test("a registry's own account of its limit is read; none is told where it tells none", () => {
  for (const [headers, expected] of limits)
    assert.deepEqual(
      readRateLimit((name) => headers[name]),
      expected,
    );
});
