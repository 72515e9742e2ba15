import type { Digest } from '../names/digest.ts';
import type { SiteName } from '../names/kubernetes-name.ts';

/** A staged bundle as retention sees it. */
export interface KeptBundle {
  readonly site: SiteName;
  readonly sequence: number;
  /** RFC 3339 UTC. */
  readonly expires: string;
  /** Everything it carries or assumes. */
  readonly content: readonly Digest[];
}

export interface RetentionInput {
  readonly bundles: readonly KeptBundle[];
  /** Last acknowledged sequence of each site; no entry where nothing was. */
  readonly acknowledged: ReadonlyMap<SiteName, number>;
  /** Digests that work in progress needs. */
  readonly inProgress: readonly Digest[];
  /** What the pool holds; `modified` in epoch milliseconds by the store's clock. */
  readonly pool: readonly { readonly digest: Digest; readonly size: number; readonly modified: number }[];
  /** Epoch milliseconds. */
  readonly now: number;
  /** Milliseconds for which a blob is left alone after it was written. */
  readonly grace: number;
}

export type BundleFate =
  | 'kept: acknowledged base'
  | 'kept: not yet acknowledged'
  | 'dropped: superseded'
  | 'dropped: expired';

export interface RetentionPlan {
  readonly bundles: readonly { readonly bundle: KeptBundle; readonly fate: BundleFate }[];
  /** Blobs that nothing needs and that are old enough. */
  readonly sweep: readonly { readonly digest: Digest; readonly size: number }[];
  readonly keptBlobs: number;
}

/**
 * Marks what may go: bundles older than their site's acknowledged base, and expired ones that were never acknowledged
 * (no site takes them any more). The base itself stays: the next delta is planned against it. Then every blob that no
 * remaining bundle and no work in progress names, once it is older than the grace.
 */
export function planRetention(input: RetentionInput): RetentionPlan {
  const bundles = input.bundles.map((bundle) => ({ bundle, fate: fateOf(bundle, input) }));
  const needed = new Set(input.inProgress);
  for (const { bundle, fate } of bundles) {
    if (fate.startsWith('kept')) for (const digest of bundle.content) needed.add(digest);
  }
  const sweep = input.pool.filter(
    ({ digest, modified }) => !needed.has(digest) && modified <= input.now - input.grace,
  );
  return {
    bundles,
    sweep: sweep.map(({ digest, size }) => ({ digest, size })),
    keptBlobs: input.pool.length - sweep.length,
  };
}

function fateOf(bundle: KeptBundle, { acknowledged, now }: RetentionInput): BundleFate {
  const base = acknowledged.get(bundle.site) ?? 0;
  if (bundle.sequence === base) return 'kept: acknowledged base';
  if (bundle.sequence < base) return 'dropped: superseded';
  return Date.parse(bundle.expires) < now ? 'dropped: expired' : 'kept: not yet acknowledged';
}
