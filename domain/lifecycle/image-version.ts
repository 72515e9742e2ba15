import type { Digest } from '../names/digest.ts';
import type { TagName } from '../names/tag.ts';

/** One tag of one repository at one site, as cleanup looks at it. Times are epoch milliseconds. */
export interface ImageVersion {
  readonly tag: TagName;
  readonly digest: Digest;
  /** When we first saw the tag at this digest. The image's own `created` is never used: it may say 1970. Default: unknown, keeps. */
  readonly firstSeen?: number;
  /** Manifests below it, at any depth, attestations included. */
  readonly children: readonly Digest[];
  /** What it is attached to by its `subject` field. Default: nothing. */
  readonly subject?: Digest;
  /** `host/path:tag` as Pods may write it: by its origin and by the site's address. */
  readonly names: readonly string[];
  /** Whether we placed it; others' tags are never touched. */
  readonly ours: boolean;
}

/** What is in use, as far as it is known. */
export interface UsageFacts {
  /** False where one cluster could not be asked, or its answer is too old: then nothing may go. */
  readonly known: boolean;
  readonly digests: ReadonlySet<string>;
  /** `host/path:tag`, with Docker Hub's short forms written out. */
  readonly names: ReadonlySet<string>;
  /** Last time seen in use, by digest and by name, in epoch milliseconds. */
  readonly lastUsed: ReadonlyMap<string, number>;
  /** Since when use is recorded without a gap, in epoch milliseconds. Not used before that says nothing. */
  readonly since: number;
}

/** Everything that protects a version, whatever the rules say. */
export interface Protections {
  readonly usage: UsageFacts;
  /** Digests that a rollback may go back to, and pins. */
  readonly rollbackTargets: ReadonlySet<string>;
  /** Tags that a running sync may be writing. */
  readonly syncing: ReadonlySet<string>;
  /** Digests in bundles that their site has not acknowledged. */
  readonly bundled: ReadonlySet<string>;
  /** Tags that a Repository names one by one: the next sync would only bring them back. */
  readonly declared: ReadonlySet<string>;
  /** Subjects that the registry was asked for and does not have. */
  readonly absentSubjects: ReadonlySet<string>;
}

/** Why a version stays. */
export type KeepReason =
  | 'NotOurs'
  | 'Excluded'
  | 'Syncing'
  | 'InUse'
  | 'UsageUnknown'
  | 'RollbackTarget'
  | 'PendingBundle'
  | 'Declared'
  | 'SystemTag'
  | 'AttachedToKept'
  | 'SubjectUnknown'
  | 'ChildOfKept'
  | 'AgeUnknown'
  | 'KeepRecent'
  | 'KeepDays'
  | 'KeepSemver'
  | 'RecentlyUsed'
  | 'NoRule';

/** Why a version may go. */
export type DeleteReason = 'NotKept' | 'Unused' | 'SubjectGone' | 'StaleStaging';

/** What happens to one tag, and why. */
export type RetentionVerdict =
  | { readonly tag: TagName; readonly digest: Digest; readonly action: 'keep'; readonly reason: KeepReason }
  | {
      readonly tag: TagName;
      readonly digest: Digest;
      readonly action: 'delete';
      readonly reason: DeleteReason;
    };
