import type { ImageCleanupPolicySpec } from '../resources/image-cleanup-policy.ts';
import type { ImageVersion, KeepReason, Protections, RetentionVerdict } from './image-version.ts';
import { keepRule, type RuleVerdict } from './keep-rules.ts';
import { systemTagKind } from './system-tags.ts';
import { globMatcher } from './tag-pattern.ts';

/** A staging tag that a crash left behind goes after this long. */
export const staleStagingMs = 86_400_000;

export interface RetentionQuestion {
  /** The image's path upstream, as `exclude` names it. */
  readonly image: string;
  /** All its tags at one site. */
  readonly versions: readonly ImageVersion[];
  readonly policy: ImageCleanupPolicySpec;
  readonly protections: Protections;
  /** Epoch milliseconds. */
  readonly now: number;
}

/**
 * One verdict for every tag. Protections come before rules; a tag that no rule speaks about stays; whatever hangs
 * together with something kept (children of an index, signatures, attachments) stays as well. Throws `InvalidRule`.
 */
export function judgeVersions(question: RetentionQuestion): RetentionVerdict[] {
  const ordinary = question.versions.filter(({ tag }) => systemTagKind(tag) === undefined);
  const excludes = exclusion(question.policy, question.image);
  const rule = keepRule(ordinary, question.policy, question.protections.usage, question.now);
  const judge = (version: ImageVersion): RuleVerdict => {
    const protection = protectedBy(version, question.protections, excludes);
    if (protection !== undefined) return { action: 'keep', reason: protection };
    const verdict = judgeSystemTag(version, question.now) ?? rule(version);
    const blind = verdict.action === 'delete' && !question.protections.usage.known;
    return blind ? { action: 'keep', reason: 'UsageUnknown' } : verdict;
  };
  const first = new Map(question.versions.map((version) => [version, judge(version)]));
  const settled = keepTogether(first, question.protections.absentSubjects);
  return question.versions.map((version) => {
    const verdict = settled.get(version) ?? { action: 'keep', reason: 'NoRule' };
    return { tag: version.tag, digest: version.digest, ...verdict };
  });
}

function protectedBy(
  version: ImageVersion,
  by: Protections,
  excludes: (tag: string) => boolean,
): KeepReason | undefined {
  const digests = [version.digest, ...version.children];
  const has = (set: ReadonlySet<string>): boolean => digests.some((digest) => set.has(digest));
  if (excludes(version.tag)) return 'Excluded';
  if (by.syncing.has(version.tag)) return 'Syncing';
  if (has(by.usage.digests) || version.names.some((name) => by.usage.names.has(name))) return 'InUse';
  if (has(by.rollbackTargets)) return 'RollbackTarget';
  if (has(by.bundled)) return 'PendingBundle';
  if (by.declared.has(version.tag)) return 'Declared';
  if (systemTagKind(version.tag) !== undefined) return undefined;
  return version.ours ? undefined : 'NotOurs';
}

/** Attachments start as deletable and are held by what they hang on; our own tags have a life of their own. */
function judgeSystemTag(version: ImageVersion, now: number): RuleVerdict | undefined {
  const system = systemTagKind(version.tag);
  if (system === undefined) return undefined;
  if (system.kind === 'attachment') return { action: 'delete', reason: 'SubjectGone' };
  const stale = version.firstSeen !== undefined && now - version.firstSeen >= staleStagingMs;
  if (system.kind === 'staging' && stale) return { action: 'delete', reason: 'StaleStaging' };
  return { action: 'keep', reason: 'SystemTag' };
}

/** Spreads keeping along children, subjects and attachments until nothing changes. */
function keepTogether(
  verdicts: ReadonlyMap<ImageVersion, RuleVerdict>,
  absentSubjects: ReadonlySet<string>,
): ReadonlyMap<ImageVersion, RuleVerdict> {
  const settled = new Map(verdicts);
  for (;;) {
    const entries = [...settled];
    const kept = reach(entries.filter(([, verdict]) => verdict.action === 'keep'));
    const going = reach(entries.filter(([, verdict]) => verdict.action === 'delete'));
    const saved = entries.flatMap(([version, verdict]) => {
      const reason =
        verdict.action === 'delete' ? bond(version, verdict, { kept, going, absentSubjects }) : undefined;
      return reason === undefined ? [] : [{ version, reason }];
    });
    if (saved.length === 0) return settled;
    for (const { version, reason } of saved) settled.set(version, { action: 'keep', reason });
  }
}

interface Bonds {
  /** Digests of kept tags and everything below them. */
  readonly kept: Bond;
  readonly going: Bond;
  readonly absentSubjects: ReadonlySet<string>;
}

interface Bond {
  readonly roots: ReadonlySet<string>;
  readonly below: ReadonlySet<string>;
}

function reach(entries: readonly (readonly [ImageVersion, RuleVerdict])[]): Bond {
  return {
    roots: new Set(entries.map(([version]) => version.digest)),
    below: new Set(entries.flatMap(([version]) => version.children)),
  };
}

function bond(version: ImageVersion, verdict: RuleVerdict, bonds: Bonds): KeepReason | undefined {
  const { kept, going } = bonds;
  if (kept.below.has(version.digest)) return 'ChildOfKept';
  const system = systemTagKind(version.tag);
  const subject = system?.kind === 'attachment' ? system.subject : version.subject;
  if (subject === undefined) return undefined;
  if (kept.roots.has(subject) || kept.below.has(subject)) return 'AttachedToKept';
  if (verdict.reason !== 'SubjectGone' || bonds.absentSubjects.has(subject)) return undefined;
  return going.roots.has(subject) || going.below.has(subject) ? undefined : 'SubjectUnknown';
}

/** Whether a policy leaves an image out as a whole: then it is not even listed. Throws `InvalidRule`. */
export function excludesImage(policy: ImageCleanupPolicySpec, image: string): boolean {
  const whole = (policy.exclude ?? []).filter(({ tag }) => tag === undefined || tag === '*');
  return whole.some(({ name }) => globMatcher(name ?? '*')(image));
}

function exclusion(policy: ImageCleanupPolicySpec, image: string): (tag: string) => boolean {
  const rules = (policy.exclude ?? []).map(({ name, tag }) => ({
    name: globMatcher(name ?? '*'),
    tag: globMatcher(tag ?? '*'),
  }));
  return (tag) => rules.some((rule) => rule.name(image) && rule.tag(tag));
}
