import type { Condition, Resource } from './meta.ts';

export interface ImageCleanupPolicySpec {
  /** N newest versions of an image to keep. Default: no such rule. */
  readonly keepRecent?: number;
  /** Days since a version was placed during which it is kept. Default: no such rule. */
  readonly keepDays?: number;
  /** Days without use after which a version may go. Default: no such rule. */
  readonly unusedDays?: number;
  /** Newest major versions to keep, minors per major, patches per minor. Default: no such rule. */
  readonly majorVersions?: number;
  readonly minorVersions?: number;
  readonly patches?: number;
  /** Cron expression, UTC. Default: only on demand. */
  readonly schedule?: string;
  /** Namespaces whose images it covers. Default: its own. */
  readonly namespaces?: readonly string[];
  /** Images that are never touched; a part left out matches all, `*` is a wildcard. */
  readonly exclude?: readonly { readonly name?: string; readonly tag?: string }[];
  /** Only plan. Default: false. */
  readonly dryRun?: boolean;
  /** Wait for the plan to be approved. Default: false. */
  readonly requireApproval?: boolean;
  /** Go-style duration for which a tag is parked, restorable, before deletion. Default: `24h`. */
  readonly gracePeriod?: string;
}

export interface ImageCleanupPolicyStatus {
  readonly observedGeneration?: number;
  readonly conditions?: readonly Condition[];
  readonly phase?: 'Idle' | 'Planning' | 'AwaitingApproval' | 'Grace' | 'Deleting' | 'Held';
  /** Hash of the plan that waits, runs or ran last; what an approval has to name. */
  readonly planHash?: string;
  /** Tags that were looked at. */
  readonly candidates?: number;
  readonly kept?: number;
  /** Tags that the plan deletes. */
  readonly deletions?: number;
  /** RFC 3339 UTC until which parked tags can be restored. */
  readonly graceUntil?: string;
  /** Bytes that the registries' garbage collection can free. */
  readonly freedBytes?: number;
  /** RFC 3339 UTC. */
  readonly lastRun?: string;
}

/** What may be deleted at the sites, and when. */
export interface ImageCleanupPolicy extends Resource<'ImageCleanupPolicy'> {
  readonly spec: ImageCleanupPolicySpec;
  readonly status?: ImageCleanupPolicyStatus;
}
