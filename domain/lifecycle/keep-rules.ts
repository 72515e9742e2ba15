import type { ImageCleanupPolicySpec } from '../resources/image-cleanup-policy.ts';
import type { DeleteReason, ImageVersion, KeepReason, UsageFacts } from './image-version.ts';
import { compareTags, isFullVersion, parseVersion } from './version-order.ts';

const dayMs = 86_400_000;

/** The part of a policy that says what to keep. */
export type KeepRules = Pick<
  ImageCleanupPolicySpec,
  'keepRecent' | 'keepDays' | 'unusedDays' | 'majorVersions' | 'minorVersions' | 'patches'
>;

/** What the rules say about a tag, before anything that protects it. */
export type RuleVerdict =
  | { readonly action: 'keep'; readonly reason: KeepReason }
  | { readonly action: 'delete'; readonly reason: DeleteReason };

/**
 * Judges one tag by a policy's rules. A tag goes only where at least one rule speaks about it and none keeps it:
 * - `keepRecent`: keeps the tags of the N newest digests;
 * - semver levels: speak about tags with three numbers only; `1`, `latest` and the like stay;
 * - `keepDays`: keeps what was first seen less than D days ago; an unknown age keeps;
 * - `unusedDays`: keeps what was in use, or first seen, less than D days ago.
 */
export type KeepRule = (version: ImageVersion) => RuleVerdict;

/** Prepares the rules for one image: `versions` are its tags that name versions. `now` is in epoch milliseconds. */
export function keepRule(
  versions: readonly ImageVersion[],
  rules: KeepRules,
  usage: UsageFacts,
  now: number,
): KeepRule {
  const recent = rules.keepRecent === undefined ? undefined : newestDigests(versions, rules.keepRecent);
  const levels = hasLevels(rules) ? keptPatches(versions, rules) : undefined;
  return (version) => {
    if (recent?.has(version.digest) === true) return keep('KeepRecent');
    const key = patchKey(version.tag);
    if (levels !== undefined && key !== undefined && levels.has(key)) return keep('KeepSemver');
    const aged = recent !== undefined || rules.keepDays !== undefined || rules.unusedDays !== undefined;
    if (!aged && (levels === undefined || key === undefined)) return keep('NoRule');
    if (aged && version.firstSeen === undefined) return keep('AgeUnknown');
    return judgeAge(version, rules, usage, now);
  };
}

function judgeAge(version: ImageVersion, rules: KeepRules, usage: UsageFacts, now: number): RuleVerdict {
  const seen = version.firstSeen ?? now;
  if (rules.keepDays !== undefined && now - seen < rules.keepDays * dayMs) return keep('KeepDays');
  if (rules.unusedDays === undefined) return { action: 'delete', reason: 'NotKept' };
  const idleSince = Math.max(seen, usage.since, lastUse(version, usage));
  if (now - idleSince < rules.unusedDays * dayMs) return keep('RecentlyUsed');
  return { action: 'delete', reason: 'Unused' };
}

function lastUse(version: ImageVersion, usage: UsageFacts): number {
  const keys = [version.digest, ...version.children, ...version.names];
  return Math.max(0, ...keys.map((key) => usage.lastUsed.get(key) ?? 0));
}

/**
 * The N newest digests of an image. Newest is by version where every digest has a tag with a full version (a `latest`
 * beside it does not matter); else by when the digest was first seen, the newest tag deciding ties.
 */
export function newestDigests(versions: readonly ImageVersion[], count: number): ReadonlySet<string> {
  const groups = [...Map.groupBy(versions, (version) => version.digest)].map(([digest, tags]) => ({
    digest,
    version: newestTag(tags.filter(({ tag }) => isFullVersion(tag))),
    name: newestTag(tags) ?? '',
    seen: Math.max(...tags.map(({ firstSeen }) => firstSeen ?? Number.POSITIVE_INFINITY)),
  }));
  const byVersion = groups.every(({ version }) => version !== undefined);
  const ranked = groups.sort((a, b) =>
    byVersion
      ? compareTags(b.version ?? '', a.version ?? '')
      : compareNumbers(b.seen, a.seen) || compareTags(b.name, a.name),
  );
  return new Set(ranked.slice(0, count).map(({ digest }) => digest));
}

function newestTag(versions: readonly ImageVersion[]): string | undefined {
  return versions
    .map(({ tag }) => tag)
    .sort(compareTags)
    .at(-1);
}

const compareNumbers = (a: number, b: number): number => (a < b ? -1 : a > b ? 1 : 0);

const hasLevels = (rules: KeepRules): boolean =>
  rules.majorVersions !== undefined || rules.minorVersions !== undefined || rules.patches !== undefined;

/** The newest majors, the newest minors in each, and the newest patches in each of those; a level left out keeps all. */
function keptPatches(versions: readonly ImageVersion[], rules: KeepRules): ReadonlySet<string> {
  const limits = [rules.majorVersions, rules.minorVersions, rules.patches];
  let kept = [...new Set(versions.flatMap(({ tag }) => patchKey(tag) ?? []))].sort(compareTags).toReversed();
  for (const [level, limit] of limits.entries()) {
    const series = new Map<string, Set<string>>();
    kept = kept.filter((key) => {
      const parts = key.split('.');
      const above = parts.slice(0, level).join('.');
      const within = series.get(above) ?? new Set();
      series.set(above, within);
      within.add(parts.slice(0, level + 1).join('.'));
      return within.size <= (limit ?? Number.POSITIVE_INFINITY);
    });
  }
  return new Set(kept);
}

/** `1.2.3` for every tag of that patch level, pre-releases and variants (`1.2.3-alpine`) included. */
function patchKey(tag: string): string | undefined {
  const version = parseVersion(tag);
  return version?.parts === 3 ? `${version.major}.${version.minor}.${version.patch}` : undefined;
}

const keep = (reason: KeepReason): RuleVerdict => ({ action: 'keep', reason });
