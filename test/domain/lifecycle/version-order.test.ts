import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  compareNames,
  compareTags,
  isFullVersion,
  parseVersion,
} from '../../../domain/lifecycle/version-order.ts';

/** Each row is in order, oldest first. */
const orders: readonly (readonly string[])[] = [
  ['1.9', '1.10'],
  ['v1.9.0', '1.10.0', 'v1.10.1'],
  [
    '1.0.0-alpha',
    '1.0.0-alpha.1',
    '1.0.0-alpha.beta',
    '1.0.0-beta.2',
    '1.0.0-beta.11',
    '1.0.0-rc.1',
    '1.0.0',
  ],
  ['latest', 'main', '0.0.1-rc.1', '0.0.1'],
  ['1.2', '1.2.0', 'v1.2.0', '1.2.0_build2', '1.2.0_build10', '1.2.1'],
  ['2025.12.31', '2026.01.05', '2026.1.10'],
  ['build-9', 'build-10', 'build-10a'],
  ['9007199254740993.0.0', '9007199254740994.0.0'],
];

test('J16 tags are ordered as documented', () => {
  for (const row of orders) {
    assert.deepEqual([...row].toReversed().sort(compareTags), row);
    assert.deepEqual([...row].sort(compareTags), row);
  }
});

const tagText = fc.oneof(
  fc.stringMatching(/^v?[0-2]{1,2}(\.[0-2]{1,2}){0,2}(-[ab01]{1,2}(\.[ab01]{1,2})?)?([_+][ab01]{1,2})?$/),
  fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,8}$/),
);

for (const [name, compare] of [
  ['version order', compareTags],
  ['name order', compareNames],
] as const) {
  test(`J16 ${name} is total: antisymmetric, transitive, and equal only for the same text`, () => {
    fc.assert(
      fc.property(tagText, tagText, tagText, (a, b, c) => {
        assert.equal(Math.sign(compare(a, b)), -Math.sign(compare(b, a)) + 0);
        assert.equal(compare(a, b) === 0, a === b);
        if (compare(a, b) <= 0 && compare(b, c) <= 0) assert.ok(compare(a, c) <= 0, `${a} ${b} ${c}`);
      }),
      { numRuns: 20_000 },
    );
  });
}

test('only tags with all three numbers name a version; others name a series or nothing', () => {
  for (const tag of ['1.2.3', 'v1.2.3', '1.2.3-alpine', '1.2.3_1', '2026.01.05'])
    assert.ok(isFullVersion(tag), tag);
  for (const tag of ['1', '1.2', 'v1', 'latest', '1.2.3.4', '', 'version1.2.3'])
    assert.ok(!isFullVersion(tag), tag);
  assert.equal(parseVersion('latest'), undefined);
});
