import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDigest } from '../../domain/names/digest.ts';
import { parseReference } from '../../domain/names/reference.ts';
import { parseRepositoryPath } from '../../domain/names/repository-path.ts';
import { parseTag, subjectOfTag } from '../../domain/names/tag.ts';
import { refusal } from '../support/refusal.ts';

const hex = 'ab'.repeat(32);

test('A01 a digest that climbs out of its folder is refused before any path is built', () => {
  for (const text of [
    'sha256:../../../etc/passwd',
    'sha256:..%2f..%2fetc',
    `../sha256:${hex}`,
    `sha256/${hex}`,
  ]) {
    refusal('InvalidDigest', () => parseDigest(text));
  }
});

test('A02 a digest with upper case, a wrong length, a newline, NUL, percent or other digits is refused', () => {
  const almost = [
    `sha256:${hex.toUpperCase()}`,
    `sha256:${hex.slice(1)}`,
    `sha256:${hex}a`,
    `sha256:${hex}\n`,
    `sha256:${hex}\u0000`,
    `sha256:${hex.slice(6)}%2e%2e`,
    `sha256:${hex.slice(1)}٣`,
    `sha256:${hex.slice(2)}１`,
    `\nsha256:${hex}`,
    `sha256:${hex}\nsha256:${hex}`,
    `SHA256:${hex}`,
    'sha256:',
    '',
    ':',
  ];
  for (const text of almost) refusal('InvalidDigest', () => parseDigest(text));
});

test('A03 sha512 is taken, any other algorithm is refused by name', () => {
  assert.equal(parseDigest(`sha512:${hex}${hex}`), `sha512:${hex}${hex}`);
  for (const text of [
    'md5:d41d8cd98f00b204e9800998ecf8427e',
    `sha384:${hex}`,
    `blake3:${hex}`,
    'sha256+b64:YWJj',
  ]) {
    refusal('UnsupportedDigestAlgorithm', () => parseDigest(text));
  }
});

test('A05 a repository path outside the grammar, or one that reads as another call, is refused', () => {
  const bad = [
    'a/../b',
    'a//b',
    '.a',
    'A/B',
    'a'.repeat(256),
    'a/_catalog',
    'a/blobs/uploads',
    'x/manifests',
    'x/tags',
    '',
    '/a',
    'a/',
    'a/b:v1',
    'a@sha256:x',
    'a b',
    'a%2fb',
    'ä',
    'a\n',
  ];
  for (const text of bad) refusal('InvalidRepository', () => parseRepositoryPath(text));
  for (const text of ['a', 'a/b-c/d__e.f', 'manifests', 'blobs/a'])
    assert.equal(parseRepositoryPath(text), text);
});

test('A06 a tag outside the grammar is refused', () => {
  for (const text of ['a'.repeat(129), 'a/b', 'a:b', 'a@b', 'a b', '.a', '-a', '', 'a\n', 'ä']) {
    refusal('InvalidTag', () => parseTag(text));
  }
  assert.equal(parseTag('a'.repeat(128)).length, 128);
});

test('A08 a reference names its registry: no Docker Hub by accident', () => {
  for (const text of ['nginx', 'library/nginx', 'nginx:1.27', 'host/a/b', '', '/a', `a@sha256:${hex}`]) {
    refusal('RegistryNotDeclared', () => parseReference(text));
  }
  assert.equal(parseReference('docker.io/library/nginx:1').domain, 'docker.io');
  assert.equal(parseReference('localhost/a').domain, 'localhost');
});

test("A10 a signature's or referrers' tag is told from a version", () => {
  for (const suffix of ['', '.sig', '.att', '.sbom'])
    assert.equal(subjectOfTag(parseTag(`sha256-${hex}${suffix}`)), `sha256:${hex}`);
  for (const text of ['v1', `sha256-${hex.slice(1)}`, `x-sha256-${hex}`, `sha256-${hex}.sigx`]) {
    assert.equal(subjectOfTag(parseTag(text)), undefined);
  }
});
