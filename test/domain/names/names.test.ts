import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { digestAlgorithm, digestHex, parseDigest, printable } from '../../../domain/names/digest.ts';
import { parseNamespace, parseObjectName, parseSiteName } from '../../../domain/names/kubernetes-name.ts';
import { parseNewName } from '../../../domain/names/new-name.ts';
import { parseReference, printReference } from '../../../domain/names/reference.ts';
import { isLoopback, parseRegistryDomain, registryHost } from '../../../domain/names/registry-domain.ts';
import { parseRepositoryPath } from '../../../domain/names/repository-path.ts';
import { parseTag, referrersTag, subjectOfTag } from '../../../domain/names/tag.ts';
import { codeOf, refusal } from '../../support/refusal.ts';

const hex = 'a1'.repeat(32);

test('a digest is taken apart into its algorithm and its hex', () => {
  assert.equal(digestHex(parseDigest(`sha256:${hex}`)), hex);
  assert.equal(digestAlgorithm(parseDigest(`sha512:${hex}${hex}`)), 'sha512');
});

const domains: readonly (readonly [text: string, parsed: string])[] = [
  ['r.example', 'r.example'],
  ['R.Example:5000', 'r.example:5000'],
  ['localhost:5000', 'localhost:5000'],
  ['127.0.0.1:40123', '127.0.0.1:40123'],
  ['[::1]:5000', '[::1]:5000'],
  ['docker.io', 'docker.io'],
];

test('a registry domain is host[:port] in lower case', () => {
  for (const [text, parsed] of domains) assert.equal(parseRegistryDomain(text), parsed);
});

test('a registry domain with anything else is refused, with a word on what to remove', () => {
  assert.match(refusal('InvalidDomain', () => parseRegistryDomain('https://h')).message, /scheme/);
  assert.match(refusal('InvalidDomain', () => parseRegistryDomain('h/v2/')).message, /path/);
  assert.match(refusal('InvalidDomain', () => parseRegistryDomain('u@h')).message, /user/);
  for (const text of [
    '',
    ':5000',
    'h:',
    'h:0',
    'h:65536',
    'h:5a',
    '-h',
    'h-',
    'h..x',
    'h_x',
    'h x',
    'h\n',
    '[::1',
    '[::1]x',
    'ⓗ',
    `${'a'.repeat(64)}.x`,
    '127.1',
    '1.2.3:5000',
    '0177.0.0.1',
    '2130706433:5000',
    '999.1.1.1',
    'a.0x7f',
    '[:::]:5000',
    '[0:0:0:0:0:0:0:1]:5000',
    '[::ffff:1.2.3.4]',
  ]) {
    refusal('InvalidDomain', () => parseRegistryDomain(text));
  }
});

test('only Docker Hub is served by another host than its domain', () => {
  assert.equal(registryHost(parseRegistryDomain('docker.io')), 'registry-1.docker.io');
  assert.equal(registryHost(parseRegistryDomain('r.example')), 'r.example');
});

test('loopback is this machine and nothing that merely looks like it', () => {
  for (const text of ['localhost', 'localhost:1', '127.0.0.1', '127.1.2.3:5', '[::1]:5'])
    assert.ok(isLoopback(parseRegistryDomain(text)));
  for (const text of ['localhost.example', '127.0.0.1.example', '128.0.0.1', 'x127.0.0.1.example', '[::2]']) {
    assert.ok(!isLoopback(parseRegistryDomain(text)));
  }
});

test('Kubernetes names are DNS labels and subdomains', () => {
  assert.equal(
    codeOf(() => parseObjectName('a-b.c')),
    'ok',
  );
  assert.equal(
    codeOf(() => parseObjectName(`${'a'.repeat(64)}.b`)),
    'ok',
  );
  for (const text of ['', 'A', 'a.', '.a', 'a..b', 'a_b', '-a', 'a.-b', 'a\n'])
    refusal('InvalidName', () => parseObjectName(text));
  assert.equal(
    codeOf(() => parseNamespace('edge-system')),
    'ok',
  );
  for (const text of ['', 'A', 'a.', '.a', 'a_b', 'a/b', '-a', 'a-', 'a'.repeat(64), 'a\n']) {
    refusal('InvalidName', () => parseSiteName(text));
    refusal('InvalidName', () => parseNamespace(text));
  }
  refusal('InvalidName', () => parseSiteName('a.b'));
  refusal('InvalidName', () => parseObjectName(Array.from({ length: 130 }, () => 'a').join('.')));
});

test('a new object has a name that everything that is named after it has room for', () => {
  const limits = {
    repositories: 160,
    registrysecrets: 180,
    imagecleanuppolicies: 150,
    edgesites: 63,
  } as const;
  for (const [plural, longest] of Object.entries(limits) as [keyof typeof limits, number][]) {
    assert.equal(
      codeOf(() => parseNewName(plural, 'a'.repeat(longest))),
      'ok',
    );
    refusal('InvalidName', () => parseNewName(plural, 'a'.repeat(longest + 1)));
  }
  refusal('InvalidName', () => parseNewName('edgesites', 'a.b'));
});

test('references print and parse back to themselves', () => {
  const reference = fc.record(
    {
      domain: fc.constantFrom('r.example', 'localhost:5000', '[::1]:5', 'docker.io').map(parseRegistryDomain),
      path: fc
        .stringMatching(/^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/x[a-z0-9]*){0,2}$/)
        .filter((text) => codeOf(() => parseRepositoryPath(text)) === 'ok')
        .map(parseRepositoryPath),
      tag: fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,20}$/).map(parseTag),
      digest: fc.constant(parseDigest(`sha256:${hex}`)),
    },
    { requiredKeys: ['domain', 'path'] },
  );
  fc.assert(
    fc.property(reference, (value) => assert.deepEqual(parseReference(printReference(value)), { ...value })),
    { numRuns: 3000 },
  );
});

test('the fallback tag of a digest leads back to the digest', () => {
  const digest = parseDigest(`sha256:${hex}`);
  assert.equal(subjectOfTag(referrersTag(digest)), digest);
  assert.ok(referrersTag(parseDigest(`sha512:${hex}${hex}`)).length <= 128);
});

test('outside text is made fit for a message', () => {
  assert.equal(printable('a\u001b[31m\nü'), 'a?[31m??');
  assert.equal(printable('x'.repeat(500)).length, 120);
});
