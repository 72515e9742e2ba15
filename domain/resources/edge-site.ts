import type { Condition, Resource } from './meta.ts';
import type { RegistryAccessSpec } from './registry-secret.ts';

/** Hours in which copies to a site may run; they stop, inside a blob where need be, when it closes. */
export interface SyncWindow {
  /** IANA zone of the times below. Default: `UTC`. */
  readonly timeZone?: string;
  /** Open whenever one of them is. */
  readonly periods: readonly SyncPeriod[];
}

export interface SyncPeriod {
  /** Days on which it begins. Default: every day. */
  readonly days?: readonly ('Mon' | 'Tue' | 'Wed' | 'Thu' | 'Fri' | 'Sat' | 'Sun')[];
  /** `HH:MM` or `HH:MM:SS`. */
  readonly from: string;
  /** The same, or `24:00`; where it is not after `from`, it is a time of the next day. */
  readonly to: string;
}

/** Where a site's own worker reads images. */
export type SiteSource = 'upstream' | 'pool' | 'auto';

export interface EdgeSiteSpec {
  /** `connected`: blobs go straight to its registry. `offline`: they are staged as bundles. Default: `connected`. */
  readonly mode?: 'connected' | 'offline';
  /** Whether Repositories that name no site go here. At most one site should say so. Default: false. */
  readonly default?: boolean;
  readonly registry: RegistryAccessSpec & {
    /** `host[:port]`. */
    readonly domain: string;
    /** Put before each repository path, such as `mirror/`. Default: none. */
    readonly pathPrefix?: string;
    /** Kind of registry, as in a RegistrySecret: what it can do beyond the distribution spec. Default: `other`. */
    readonly provider?: string;
    /** Secret in {@link systemNamespace} with keys `username` and `password`. Default: no credential. */
    readonly credentialSecretName?: string;
  };
  readonly location?: string;
  /** Higher wins where sources are otherwise equal. Default: 0. */
  readonly priority?: number;
  /** Bytes per second shared by all transfers to the site. Default: no limit. */
  readonly bandwidth?: number;
  /** Secret in {@link systemNamespace} with the site's cluster under `kubeconfig`: what its Pods use is kept. Default: not asked. */
  readonly kubeconfigSecretName?: string;
  /**
   * Whether cleanups wait for the site's own word about what its Pods use: from its own worker, or, of an offline site,
   * in its receipts and inventories. Default: false. A kubeconfig goes before it.
   */
  readonly reportsUsage?: boolean;
  /** Bytes that its registry may hold; a bundle of more is refused. Default: unknown, and no percentage is shown. */
  readonly capacity?: number;
  /** When copies to the site may run. Default: always. */
  readonly syncWindow?: SyncWindow;
  /** Whether a worker of its own, at the site, does its copying (task queue `site-<name>`). Default: false. */
  readonly worker?: boolean;
  /**
   * Where that worker reads images: `upstream`, the `pool` of bundles, or `auto`: what the pool has from there, all else
   * and whatever fails there from upstream. Default: `upstream`. Only with a worker.
   */
  readonly source?: SiteSource;
  readonly bundle?: {
    /** Cron expression (five fields, UTC) at which a bundle is staged, if there is anything new. Default: none. */
    readonly schedule?: string;
    /** Whether a bundle is staged after syncs that found something new for the site. Default: false. */
    readonly afterSync?: boolean;
    /** Bytes that one bundle may carry: a larger one is refused before anything is fetched. Default: no limit. */
    readonly maxBytes?: number;
    /** Go-style duration after which a bundle may no longer be imported. Default: `720h`. */
    readonly expiresAfter?: string;
    /** PEM public key that signs the site's receipts, pinned at first trust. Default: none. */
    readonly receiptKey?: string;
    /** Go-style duration for which what it told of its usage counts, from when it was seen. Default: `720h`. */
    readonly usageMaxAge?: string;
  };
}

export interface EdgeSiteStatus {
  readonly observedGeneration?: number;
  readonly conditions?: readonly Condition[];
  /** The last bundle that the site proved to have, and what it has since. */
  readonly acknowledged?: { readonly sequence: number; readonly digest: string; readonly time: string };
  /** The last inventory that came from the site; `digest` is of its signed payload. */
  readonly inventory?: { readonly digest: string; readonly time: string; readonly parts: number };
  /**
   * What its Pods used, as it told last; `digest` is of the signed payload, `observed` no later than when it came,
   * `images` counts names and digests.
   */
  readonly usage?: { readonly digest: string; readonly observed: string; readonly images: number };
  /** Highest sequence staged so far. */
  readonly stagedSequence?: number;
}

/** A place that images are brought to. Cluster-scoped. */
export interface EdgeSite extends Resource<'EdgeSite'> {
  readonly spec: EdgeSiteSpec;
  readonly status?: EdgeSiteStatus;
}
