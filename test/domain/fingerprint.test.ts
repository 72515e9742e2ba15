import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fingerprint } from '../../domain/fingerprint.ts';

test('texts that differ in one character, place or length have other fingerprints', () => {
  const base = Array.from({ length: 200 }, (_, index) => `site-${index}`).join(',');
  const texts = new Set([base, `${base} `, base.toUpperCase()]);
  for (let at = 0; at < base.length; at += 1) {
    texts.add(`${base.slice(0, at)}x${base.slice(at + 1)}`);
    texts.add(`${base.slice(0, at)}é${base.slice(at + 1)}`);
    texts.add(base.slice(0, at));
    texts.add(`${base.slice(at)}${base.slice(0, at)}`);
  }
  assert.ok(texts.size > 6000);
  assert.equal(new Set([...texts].map(fingerprint)).size, texts.size);
});

test('a text has one fingerprint, of 16 hex digits', () => {
  assert.match(fingerprint(''), /^[0-9a-f]{16}$/);
  assert.equal(fingerprint('abc'), fingerprint('abc'));
});
