import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readTokenClaims } from '../../../domain/registry/token-claims.ts';
import { maxTokenResponseBytes, parseTokenResponse } from '../../../domain/registry/token-response.ts';
import { refusal } from '../../support/refusal.ts';

const parse = (text: string): unknown => parseTokenResponse(new TextEncoder().encode(text));

test('a token lives as long as the server says, sixty seconds where it does not, a day at most', () => {
  assert.deepEqual(parse('{"token":"a","expires_in":300}'), { token: 'a', expiresInSeconds: 300 });
  assert.deepEqual(parse('{"token":"a","expires_in":"300"}'), { token: 'a', expiresInSeconds: 300 });
  assert.deepEqual(parse('{"token":"a"}'), { token: 'a', expiresInSeconds: 60 });
  assert.deepEqual(parse('{"token":"a","expires_in":-1}'), { token: 'a', expiresInSeconds: 60 });
  assert.deepEqual(parse('{"token":"a","expires_in":9999999}'), { token: 'a', expiresInSeconds: 86_400 });
});

test('a token that would break a header is refused', () => {
  for (const token of ['a b', 'a\\r\\nX: y', 'ä', 'a\\u0000'])
    refusal('BadTokenResponse', () => parse(`{"token":"${token}"}`));
});

test('an answer that is too large is refused', () => {
  refusal('BadTokenResponse', () => parse(`{"token":"${'a'.repeat(maxTokenResponseBytes)}"}`));
});

const jwt = (payload: unknown): string =>
  ['{"alg":"none"}', JSON.stringify(payload), 'x']
    .map((part) => Buffer.from(part).toString('base64url'))
    .join('.');

test('a token tells what was granted, which may be less than what was asked for', () => {
  const claims = readTokenClaims(
    jwt({ exp: 1_800_000_000, access: [{ type: 'repository', name: 'a/b', actions: [] }] }),
  );
  assert.deepEqual(claims, {
    expires: 1_800_000_000,
    grants: [{ type: 'repository', name: 'a/b', actions: [] }],
  });
});

test("Docker Hub's quota is read from the token, before any pull", () => {
  const parameters = { pull_limit: '100', pull_limit_interval: '21600' };
  const claims = readTokenClaims(
    jwt({ access: [{ type: 'repository', name: 'library/a', actions: ['pull'], parameters }] }),
  );
  assert.deepEqual(claims?.grants[0]?.pullQuota, { limit: 100, windowSeconds: 21_600 });
});

test('a token that is no JSON Web Token says nothing', () => {
  for (const token of ['', 'opaque', 'a.b.c', jwt({ access: 'x' }), jwt([1]), `x.${'%'.repeat(5)}.y`]) {
    assert.equal(readTokenClaims(token), undefined);
  }
});
