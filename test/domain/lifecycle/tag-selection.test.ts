import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure } from '../../../domain/failure.ts';
import { globMatcher, regexMatcher } from '../../../domain/lifecycle/tag-pattern.ts';
import { selectTags, selectedTags } from '../../../domain/lifecycle/tag-selection.ts';
import { parseTag } from '../../../domain/names/tag.ts';
import type { TagSelector } from '../../../domain/resources/repository.ts';
import { cpuTime } from '../../support/cpu-time.ts';

const signature = `sha256-${'a'.repeat(64)}.sig`;
const upstream = [
  '1.9.0',
  '1.10.0',
  '1.10.1-rc.1',
  '2.0.0',
  'v2.1.0',
  '2.1',
  'latest',
  'nightly-9',
  'nightly-10',
  signature,
  'imageferry-staging-1',
].map((tag) => ({ tag: parseTag(tag) }));

const rows: readonly (readonly [string, TagSelector, readonly string[]])[] = [
  ['a glob', { glob: '1.*', orderBy: 'semver' }, ['1.10.1-rc.1', '1.10.0', '1.9.0']],
  ['a glob with alternatives', { glob: '{latest,nightly-?}' }, ['nightly-9', 'latest']],
  ['a regular expression over the whole tag', { regex: 'nightly-[0-9]+' }, ['nightly-10', 'nightly-9']],
  ['a part of the tag is not enough', { regex: 'nightly' }, []],
  ['a semver range without pre-releases', { semver: '>=1.10 <2.1' }, ['2.0.0', '1.10.0']],
  ['a semver range that names a pre-release', { semver: '>=1.10.1-0 <2' }, ['1.10.1-rc.1']],
  ['a moving series counts with zeros', { semver: '~2.1' }, ['v2.1.0', '2.1']],
  ['all rules have to match', { semver: '>=1', glob: 'v*' }, ['v2.1.0']],
  ['exclusions', { semver: '>=2', exclude: ['v*', '2.1'] }, ['2.0.0']],
  ['the newest two by version', { semver: '>=1', newest: 2 }, ['v2.1.0', '2.1']],
  ['the newest by name', { glob: 'nightly-*', newest: 1 }, ['nightly-10']],
  ['the cap', { glob: '*', orderBy: 'semver', cap: 1 }, ['v2.1.0']],
];

for (const [name, selector, wanted] of rows) {
  test(`a selector takes ${name}`, () => {
    assert.deepEqual(selectedTags(selectTags(upstream, selector)), wanted);
  });
}

test('newest by date falls back on the version where dates are equal, and takes unknown dates last', () => {
  const dated = [
    { tag: parseTag('1.0.0'), created: 5 },
    { tag: parseTag('1.1.0'), created: 5 },
    { tag: parseTag('9.0.0') },
    { tag: parseTag('0.1.0'), created: 9 },
  ];
  const selected = selectedTags(selectTags(dated, { glob: '*', orderBy: 'created', newest: 3 }));
  assert.deepEqual(selected, ['0.1.0', '1.1.0', '1.0.0']);
});

test('A10 I12 every tag gets a verdict; signatures and staging tags are never versions', () => {
  const verdicts = selectTags(upstream, { glob: '*', newest: 3, cap: 2 });
  assert.equal(verdicts.length, upstream.length);
  const reasonOf = (tag: string): string | undefined => verdicts.find((entry) => entry.tag === tag)?.reason;
  assert.equal(reasonOf(signature), 'SystemTag');
  assert.equal(reasonOf('imageferry-staging-1'), 'SystemTag');
  assert.equal(verdicts.filter(({ reason }) => reason === 'OverCap').length, 1);
  assert.equal(verdicts.filter(({ reason }) => reason === 'OlderThanNewest').length, 6);
});

const invalid: readonly TagSelector[] = [
  { regex: '(' },
  { regex: '(?=a)b' },
  { regex: String.raw`(a)\1` },
  { regex: 'a'.repeat(257) },
  { regex: '(a{30}){33}' },
  { glob: '{a' },
  { glob: 'a}' },
  { glob: '' },
  { semver: 'not a range' },
  { semver: '>=1 '.repeat(100) },
  { glob: '*', newest: 0 },
  { glob: '*', cap: 1.5 },
  { glob: '*', exclude: ['{'] },
];

test('J13 rules that are malformed or too large are refused as InvalidRule', () => {
  for (const selector of invalid) {
    assert.throws(
      () => selectTags(upstream, selector),
      (error: unknown) => error instanceof Failure && error.code === 'InvalidRule',
      JSON.stringify(selector),
    );
  }
});

test('J13 hostile patterns do not hang: 2,000 tags of 128 characters in less than two seconds each', () => {
  const started = cpuTime();
  for (const matches of [regexMatcher('(a+)+$'), regexMatcher('(a|aa)+b'), globMatcher('*a*a*a*a*a*a*a*b')]) {
    for (let index = 0; index < 2000; index += 1) assert.equal(matches(`${'a'.repeat(127)}!`), false);
  }
  assert.ok(cpuTime() - started < 2000 * 3);
});

test('a glob takes everything literally but its own signs', () => {
  assert.ok(globMatcher('1.2+b(c)^$|\\')('1.2+b(c)^$|\\'));
  assert.ok(!globMatcher('1.2')('1x2'));
  assert.ok(globMatcher('[!a]x')('bx') && !globMatcher('[!a]x')('ax'));
  assert.ok(globMatcher('a,b')('a,b'));
});
