import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ImageVersion, Protections } from '../../../domain/lifecycle/image-version.ts';
import { judgeVersions } from '../../../domain/lifecycle/retention.ts';
import type { ImageCleanupPolicySpec } from '../../../domain/resources/image-cleanup-policy.ts';
import { day, digestOf, now, version } from './image-versions.ts';

interface Case {
  readonly versions: readonly ImageVersion[];
  readonly policy: ImageCleanupPolicySpec;
  readonly protections: Protections;
}

const tagNames = [
  '1.0.0',
  '1.0.1',
  '1.1.0',
  '1.1.1',
  '2.0.0',
  '2.0.1',
  '1.0.0-rc.1',
  '2',
  '1.1',
  'latest',
  'prod',
  ...[1, 2, 3].map((number) => `sha256-${digestOf(number).slice(7)}`),
];
const rarely = <T>(values: fc.Arbitrary<T>): fc.Arbitrary<ReadonlySet<T>> =>
  fc.oneof(
    { weight: 5, arbitrary: fc.constant(new Set<T>()) },
    { weight: 1, arbitrary: values.map((value) => new Set([value])) },
  );
const some = fc.oneof(
  { weight: 2, arbitrary: fc.constant(undefined) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 3 }) },
);
const number = fc.integer({ min: 1, max: 6 });
const digests = rarely<string>(number.map(digestOf));
const someTags = rarely(fc.constantFrom(...tagNames));

const policy: fc.Arbitrary<ImageCleanupPolicySpec> = fc
  .record({
    keepRecent: some,
    keepDays: some,
    unusedDays: some,
    majorVersions: some,
    minorVersions: some,
    patches: some,
    exclude: fc.option(fc.constantFrom([{ tag: 'prod' }], [{ name: 'library/app', tag: '1.*' }]), {
      nil: undefined,
    }),
  })
  .map((spec) => Object.fromEntries(Object.entries(spec).filter(([, value]) => value !== undefined)));

const versions = fc.uniqueArray(
  fc
    .record({
      tag: fc.constantFrom(...tagNames),
      digest: number,
      age: fc.option(fc.integer({ min: 0, max: 5 }), { nil: undefined, freq: 8 }),
      children: rarely(number),
      subject: fc.option(number, { nil: undefined, freq: 8 }),
      ours: fc.integer({ min: 0, max: 9 }).map((dice) => dice > 0),
    })
    .map(({ tag, digest, age, children, subject, ours }) => {
      const entry: { -readonly [key in keyof ImageVersion]: ImageVersion[key] } = version(
        tag,
        digest,
        age ?? 0,
      );
      if (age === undefined) delete entry.firstSeen;
      if (subject !== undefined) entry.subject = digestOf(subject);
      entry.ours = ours;
      entry.children = [...children].map(digestOf);
      return entry;
    }),
  { selector: ({ tag }) => tag, maxLength: 10 },
);

const cases: fc.Arbitrary<Case> = fc.record({
  versions,
  policy,
  protections: fc.record({
    usage: fc.record({
      known: fc.integer({ min: 0, max: 9 }).map((dice) => dice > 0),
      digests,
      names: someTags.map((tags) => new Set([...tags].map((tag) => `docker.io/library/app:${tag}`))),
      lastUsed: fc
        .tuple(number, fc.integer({ min: 0, max: 5 }))
        .map(([used, age]) => new Map([[digestOf(used) as string, now - age * day]])),
      since: fc.constantFrom(now - 900 * day, now - 2 * day),
    }),
    rollbackTargets: digests,
    bundled: digests,
    syncing: someTags,
    declared: someTags,
    absentSubjects: digests,
  }),
});

/** `[major, minor, patch]` of a full version. */
const numbers = (tag: string): number[] | undefined =>
  /^(\d+)\.(\d+)\.(\d+)(-.*)?$/.exec(tag)?.slice(1, 4).map(Number);
const attachedTo = (tag: string): string | undefined =>
  tag.startsWith('sha256-') ? tag.replace('-', ':') : undefined;

/** The same rules as a slow, direct reading of the documentation: the set of tags that may go. */
function oracle({ versions: all, policy: rules, protections: safe }: Case): Set<string> {
  if (!safe.usage.known) return new Set();
  const plain = all.filter(({ tag }) => attachedTo(tag) === undefined);
  const below = (entry: ImageVersion): string[] => [entry.digest, ...entry.children];
  const kept = new Set(all.filter((entry) => isProtected(entry, rules, safe)));
  for (const entry of plain) if (!ruleDeletes(entry, plain, rules, safe)) kept.add(entry);
  for (let before = -1; before !== kept.size;) {
    before = kept.size;
    const going = new Set(all.filter((entry) => !kept.has(entry)).flatMap(below));
    const held = new Set([...kept].flatMap(below));
    for (const entry of all) {
      const subject = attachedTo(entry.tag) ?? entry.subject;
      const orphan = attachedTo(entry.tag) !== undefined && subject !== undefined && !going.has(subject);
      if ([...kept].some((other) => other.children.includes(entry.digest))) kept.add(entry);
      if (subject !== undefined && held.has(subject)) kept.add(entry);
      if (orphan && subject !== undefined && !safe.absentSubjects.has(subject)) kept.add(entry);
    }
  }
  return new Set(all.filter((entry) => !kept.has(entry)).map(({ tag }) => tag));
}

function isProtected(entry: ImageVersion, rules: ImageCleanupPolicySpec, safe: Protections): boolean {
  const ids = [entry.digest, ...entry.children];
  const hit = (set: ReadonlySet<string>): boolean => ids.some((id) => set.has(id));
  const [rule] = rules.exclude ?? [];
  const excluded =
    rule !== undefined && (rule.tag === 'prod' ? entry.tag === 'prod' : entry.tag.startsWith('1.'));
  const inUse = hit(safe.usage.digests) || entry.names.some((name) => safe.usage.names.has(name));
  const named = safe.syncing.has(entry.tag) || safe.declared.has(entry.tag);
  const foreign = !entry.ours && attachedTo(entry.tag) === undefined;
  return excluded || inUse || named || foreign || hit(safe.rollbackTargets) || hit(safe.bundled);
}

function ruleDeletes(
  entry: ImageVersion,
  plain: readonly ImageVersion[],
  rules: ImageCleanupPolicySpec,
  safe: Protections,
): boolean {
  const full = numbers(entry.tag);
  const levels = rules.majorVersions ?? rules.minorVersions ?? rules.patches;
  const byLevel = levels !== undefined && full !== undefined;
  const timed = rules.keepRecent ?? rules.keepDays ?? rules.unusedDays;
  if (!byLevel && timed === undefined) return false;
  if (timed !== undefined && entry.firstSeen === undefined) return false;
  if (byLevel && levelKeeps(full, plain, rules)) return false;
  if (rules.keepRecent !== undefined && newerDigests(entry, plain) < rules.keepRecent) return false;
  return oldAndIdle(entry, rules, safe);
}

function oldAndIdle(entry: ImageVersion, rules: ImageCleanupPolicySpec, safe: Protections): boolean {
  const age = (now - (entry.firstSeen ?? 0)) / day;
  if (rules.keepDays !== undefined && age < rules.keepDays) return false;
  if (rules.unusedDays === undefined) return true;
  const uses = [entry.digest, ...entry.children].map((id) => safe.usage.lastUsed.get(id) ?? 0);
  const idle = (now - Math.max(entry.firstSeen ?? now, safe.usage.since, ...uses)) / day;
  return idle >= rules.unusedDays;
}

function levelKeeps(
  full: readonly number[],
  plain: readonly ImageVersion[],
  rules: ImageCleanupPolicySpec,
): boolean {
  const others = plain.flatMap(({ tag }) => (numbers(tag) === undefined ? [] : [numbers(tag) ?? []]));
  const limits = [rules.majorVersions, rules.minorVersions, rules.patches];
  return limits.every((limit, level) => {
    const siblings = others.filter((other) => other.slice(0, level).join() === full.slice(0, level).join());
    const newer = new Set(
      siblings.map((other) => other[level] ?? 0).filter((part) => part > (full[level] ?? 0)),
    );
    return limit === undefined || newer.size < limit;
  });
}

/** The order of this test's few tags, oldest first. */
const order = [
  'latest',
  'prod',
  '1.0.0-rc.1',
  '1.0.0',
  '1.0.1',
  '1.1',
  '1.1.0',
  '1.1.1',
  '2',
  '2.0.0',
  '2.0.1',
];

function newerDigests(entry: ImageVersion, plain: readonly ImageVersion[]): number {
  const tagsOf = (digest: string): ImageVersion[] => plain.filter((other) => other.digest === digest);
  const best = (digest: string, fullOnly: boolean): number =>
    Math.max(
      ...tagsOf(digest).map(({ tag }) => (fullOnly && numbers(tag) === undefined ? -1 : order.indexOf(tag))),
    );
  const seen = (digest: string): number =>
    Math.max(...tagsOf(digest).map(({ firstSeen }) => firstSeen ?? Infinity));
  const all = [...new Set(plain.map(({ digest }) => digest))];
  const byVersion = all.every((digest) => best(digest, true) >= 0);
  const newer = (digest: string): boolean => {
    if (byVersion) return best(digest, true) > best(entry.digest, true);
    const [theirs, mine] = [seen(digest), seen(entry.digest)];
    return theirs === mine ? best(digest, false) > best(entry.digest, false) : theirs > mine;
  };
  return all.filter((digest) => digest !== entry.digest && newer(digest)).length;
}

test('J20 10,000 random images: nothing protected goes, and nothing unprotected is kept for ever', () => {
  let deleted = 0;
  fc.assert(
    fc.property(cases, (example) => {
      const verdicts = judgeVersions({ image: 'library/app', now, ...example });
      const going = new Set<string>(
        verdicts.filter(({ action }) => action === 'delete').map(({ tag }) => tag),
      );
      deleted += going.size;
      assert.deepEqual(going, oracle(example));
    }),
    { numRuns: 10_000 },
  );
  assert.ok(deleted > 1000, `only ${deleted} deletions: the cases prove nothing`);
});
