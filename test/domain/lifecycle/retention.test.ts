import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ImageVersion, Protections } from '../../../domain/lifecycle/image-version.ts';
import { judgeVersions } from '../../../domain/lifecycle/retention.ts';
import { imagesInUse } from '../../../domain/usage/pod-usage.ts';
import type { ImageCleanupPolicySpec } from '../../../domain/resources/image-cleanup-policy.ts';
import { day, digestOf, noUsage, now, unprotected, version } from './image-versions.ts';

function judge(
  versions: readonly ImageVersion[],
  policy: ImageCleanupPolicySpec,
  protections: Partial<Protections> = {},
): Record<string, string> {
  const verdicts = judgeVersions({
    image: 'library/app',
    versions,
    policy,
    protections: { ...unprotected, ...protections },
    now,
  });
  return Object.fromEntries(verdicts.map(({ tag, action, reason }) => [tag, `${action} ${reason}`]));
}

const five = [1, 2, 3, 4, 5].map((number) => version(`1.${number}.0`, number, 50 - number));

interface Row {
  readonly name: string;
  readonly versions?: readonly ImageVersion[];
  readonly policy: ImageCleanupPolicySpec;
  readonly protections?: Partial<Protections>;
  readonly expected: Readonly<Record<string, string>>;
}

const rows: readonly Row[] = [
  {
    name: 'the two newest versions stay',
    policy: { keepRecent: 2 },
    expected: { '1.5.0': 'keep KeepRecent', '1.4.0': 'keep KeepRecent', '1.3.0': 'delete NotKept' },
  },
  {
    name: 'newest goes by version, not by when a backport was placed, where all have versions',
    versions: [version('1.9.9', 1, 1), version('2.0.0', 2, 30), version('latest', 2, 1)],
    policy: { keepRecent: 1 },
    expected: { '2.0.0': 'keep KeepRecent', latest: 'keep KeepRecent', '1.9.9': 'delete NotKept' },
  },
  {
    name: 'newest goes by first sight where a digest has no version',
    versions: [version('nightly-a', 1, 9), version('nightly-b', 2, 5), version('9.0.0', 3, 50)],
    policy: { keepRecent: 1 },
    expected: { 'nightly-b': 'keep KeepRecent', 'nightly-a': 'delete NotKept', '9.0.0': 'delete NotKept' },
  },
  {
    name: 'a policy without rules deletes nothing',
    policy: {},
    expected: { '1.1.0': 'keep NoRule', '1.5.0': 'keep NoRule' },
  },
  {
    name: 'keepDays keeps the young ones',
    policy: { keepDays: 47 },
    expected: { '1.5.0': 'keep KeepDays', '1.4.0': 'keep KeepDays', '1.3.0': 'delete NotKept' },
  },
  {
    name: 'J08 an unknown age keeps, whatever the image says of itself',
    versions: [version('1.0.0', 1, 0, { firstSeen: undefined as never }), version('2.0.0', 2, 3)],
    policy: { keepRecent: 1 },
    expected: { '1.0.0': 'keep AgeUnknown' },
  },
  {
    name: 'unusedDays counts from the last use',
    policy: { unusedDays: 10 },
    protections: { usage: { ...noUsage, lastUsed: new Map([[digestOf(1), now - 9 * day]]) } },
    expected: { '1.1.0': 'keep RecentlyUsed', '1.2.0': 'delete Unused' },
  },
  {
    name: 'unusedDays needs use to have been recorded for that long',
    policy: { unusedDays: 10 },
    protections: { usage: { ...noUsage, since: now - 9 * day } },
    expected: { '1.1.0': 'keep RecentlyUsed' },
  },
  {
    name: 'semver levels keep two minors of one major and one patch of each, with their variants',
    versions: [
      version('2.1.1', 1, 9),
      version('2.1.1-alpine', 2, 9),
      version('2.1.0', 3, 9),
      version('2.0.4', 4, 9),
      version('2.0.3', 5, 9),
      version('1.9.9', 6, 9),
      version('latest', 1, 9),
      version('2', 1, 9),
    ],
    policy: { majorVersions: 1, minorVersions: 2, patches: 1 },
    expected: {
      '2.1.1': 'keep KeepSemver',
      '2.1.1-alpine': 'keep KeepSemver',
      '2.1.0': 'delete NotKept',
      '2.0.4': 'keep KeepSemver',
      '2.0.3': 'delete NotKept',
      '1.9.9': 'delete NotKept',
      latest: 'keep NoRule',
      '2': 'keep NoRule',
    },
  },
  {
    name: 'excluded images and tags stay',
    policy: { keepRecent: 1, exclude: [{ name: 'library/*', tag: '1.1.*' }, { name: 'other' }] },
    expected: { '1.1.0': 'keep Excluded', '1.2.0': 'delete NotKept' },
  },
  {
    name: 'J12 rollback targets, bundles on their way, running syncs and declared tags stay',
    policy: { keepRecent: 1 },
    protections: {
      rollbackTargets: new Set([digestOf(1)]),
      bundled: new Set([digestOf(2)]),
      syncing: new Set(['1.3.0']),
      declared: new Set(['1.4.0']),
    },
    expected: {
      '1.1.0': 'keep RollbackTarget',
      '1.2.0': 'keep PendingBundle',
      '1.3.0': 'keep Syncing',
      '1.4.0': 'keep Declared',
    },
  },
  {
    name: 'J12 nothing goes while usage is unknown',
    policy: { keepRecent: 1 },
    protections: { usage: { ...noUsage, known: false } },
    expected: { '1.1.0': 'keep UsageUnknown', '1.5.0': 'keep KeepRecent' },
  },
  {
    name: 'tags that somebody else pushed stay',
    versions: [...five, version('0.1.0', 9, 90, { ours: false })],
    policy: { keepRecent: 1 },
    expected: { '0.1.0': 'keep NotOurs', '1.1.0': 'delete NotKept' },
  },
  {
    name: 'J03 D18 a tag on a child of a kept index stays, attestations included',
    versions: [
      version('2.0.0', 1, 9, { children: [digestOf(7), digestOf(8)] }),
      version('1.0.0', 7, 9),
      version('1.1.0', 8, 9),
      version('1.2.0', 2, 9),
    ],
    policy: { keepRecent: 1 },
    expected: { '1.0.0': 'keep ChildOfKept', '1.1.0': 'keep ChildOfKept', '1.2.0': 'delete NotKept' },
  },
  {
    name: 'A10 signatures follow their subject, and stay where the subject is not known to be gone',
    versions: [
      version('2.0.0', 1, 9),
      version('1.0.0', 2, 9),
      version(`sha256-${digestOf(1).slice(7)}.sig`, 11, 9),
      version(`sha256-${digestOf(2).slice(7)}`, 12, 9),
      version(`sha256-${digestOf(3).slice(7)}`, 13, 9),
      version(`sha256-${digestOf(4).slice(7)}`, 14, 9),
    ],
    policy: { keepRecent: 1 },
    protections: { absentSubjects: new Set([digestOf(4)]) },
    expected: {
      [`sha256-${digestOf(1).slice(7)}.sig`]: 'keep AttachedToKept',
      [`sha256-${digestOf(2).slice(7)}`]: 'delete SubjectGone',
      [`sha256-${digestOf(3).slice(7)}`]: 'keep SubjectUnknown',
      [`sha256-${digestOf(4).slice(7)}`]: 'delete SubjectGone',
    },
  },
  {
    name: 'a tag attached by its subject field stays with its subject, also over two steps',
    versions: [
      version('2.0.0', 1, 9),
      version('sbom', 21, 90, { subject: digestOf(1) }),
      version('sbom-note', 22, 90, { subject: digestOf(21) }),
    ],
    policy: { keepRecent: 1 },
    expected: { sbom: 'keep AttachedToKept', 'sbom-note': 'keep AttachedToKept' },
  },
  {
    name: 'I12 only staging tags older than a day go; parked tags are left to their own run',
    versions: [
      version('imageferry-staging-1', 1, 0.5),
      version('imageferry-staging-2', 2, 2),
      version('imageferry-parked-3', 3, 90),
    ],
    policy: { keepRecent: 1 },
    expected: {
      'imageferry-staging-1': 'keep SystemTag',
      'imageferry-staging-2': 'delete StaleStaging',
      'imageferry-parked-3': 'keep SystemTag',
    },
  },
];

for (const row of rows) {
  test(row.name, () => {
    const verdicts = judge(row.versions ?? five, row.policy, row.protections);
    for (const [tag, expected] of Object.entries(row.expected)) assert.equal(verdicts[tag], expected, tag);
    assert.equal(Object.keys(verdicts).length, (row.versions ?? five).length);
  });
}

test('J01 of two tags on one digest one may go while the other stays', () => {
  const versions = [version('2.0.0', 2, 9), version('1.0.0', 1, 9), version('stable', 1, 9)];
  const verdicts = judge(versions, { keepRecent: 1, exclude: [{ tag: 'stable' }] });
  assert.deepEqual([verdicts['1.0.0'], verdicts['stable']], ['delete NotKept', 'keep Excluded']);
});

const rewrites: readonly (readonly [string, string])[] = [
  ['by its short name', 'library/app:1.1.0'],
  ['by its origin', 'docker.io/library/app:1.1.0'],
  ['rewritten to the mirror', 'edge.example/mirror/library/app:1.1.0'],
  ['by digest', `other.example/x@${digestOf(1)}`],
];
for (const [how, image] of rewrites) {
  test(`kube-image-keeper#567: an image that a Pod uses ${how} stays`, () => {
    const inUse = imagesInUse([image]);
    const verdicts = judge(five, { keepRecent: 1 }, { usage: { ...noUsage, ...inUse } });
    assert.equal(verdicts['1.1.0'], 'keep InUse');
    assert.equal(verdicts['1.2.0'], 'delete NotKept');
  });
}

test('kube-image-keeper#567: the platform of an index that a Pod runs keeps the index', () => {
  const versions = [...five, version('1.0.0', 9, 90, { children: [digestOf(77)] })];
  const usage = { ...noUsage, digests: new Set([digestOf(77)]) };
  assert.equal(judge(versions, { keepRecent: 1 }, { usage })['1.0.0'], 'keep InUse');
});

test('Harbor#22026: prod and uat tags that match no rule of a semver policy are not deleted', () => {
  const versions = [...five, version('prod', 1, 400), version('uat', 2, 400)];
  const verdicts = judge(versions, { majorVersions: 1, minorVersions: 1, patches: 1 });
  assert.deepEqual([verdicts['prod'], verdicts['uat']], ['keep NoRule', 'keep NoRule']);
});

test('Harbor#8717: deleting one tag never takes another tag of its digest along', () => {
  const versions = [version('3.0.0', 3, 1), version('1.0.0', 1, 90), version('prod', 1, 90)];
  const verdicts = judge(versions, { majorVersions: 1 });
  assert.deepEqual([verdicts['1.0.0'], verdicts['prod']], ['delete NotKept', 'keep NoRule']);
});

test('Harbor#11837: wrong push and pull times do not decide; a future first sight keeps', () => {
  const versions = [version('a', 1, -10), version('b', 2, 400)];
  const verdicts = judge(
    versions,
    { unusedDays: 5 },
    {
      usage: { ...noUsage, lastUsed: new Map([['docker.io/library/app:b', now - day]]) },
    },
  );
  assert.deepEqual(verdicts, { a: 'keep RecentlyUsed', b: 'keep RecentlyUsed' });
});
