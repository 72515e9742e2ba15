import type { Condition, Resource } from './meta.ts';

/** Platform selection: `all` copies everything; `sparse` keeps the index digest; `rewrite` makes a new index. */
export interface PlatformSelection {
  readonly mode: 'all' | 'sparse' | 'rewrite';
  /** Such as `linux/amd64` or `linux/arm64/v8`. Empty with `all`. */
  readonly platforms?: readonly string[];
}

/** Selects many tags instead of the one in `spec.tag`. */
export interface TagSelector {
  /** Shell-like pattern. */
  readonly glob?: string;
  /** RE2 regular expression that must match the whole tag. */
  readonly regex?: string;
  /** Semver range such as `>=1.2 <2`. */
  readonly semver?: string;
  /** Keep only the newest N of what matched. Default: all. */
  readonly newest?: number;
  /** What newest means. Default: `semver` where `semver` is set, else `name`. */
  readonly orderBy?: 'semver' | 'name' | 'created';
  /** Patterns of tags to leave out. */
  readonly exclude?: readonly string[];
  /** Hard limit on the number of tags. Default: 500. */
  readonly cap?: number;
}

/** A digest that a tag has to stay at. */
export interface TagPin {
  readonly tag: string;
  readonly digest: string;
  /** Sites for which it holds. Default: all. */
  readonly sites?: readonly string[];
}

/** Where a public key lies: an entry of a Secret or ConfigMap in the Repository's own namespace. */
export interface PublicKeyRef {
  readonly kind: 'Secret' | 'ConfigMap';
  readonly name: string;
  /** Default: `cosign.pub`, as `cosign generate-key-pair k8s://…` writes it. */
  readonly key?: string;
}

/** What an image must be signed with before a site gets it. Exactly one of the two keys is given. */
export interface VerificationSpec {
  /** PEM `PUBLIC KEY` blocks, ECDSA P-256 or ed25519; one of them must have signed. */
  readonly publicKey?: string;
  readonly publicKeyRef?: PublicKeyRef;
  /** Annotations that the signed text must carry, each exactly. Default: none. */
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface RepositorySpec {
  /** Path, no tag. Immutable. */
  readonly repository: string;
  /** The tag. Immutable. */
  readonly tag: string;
  /** The registry it comes from. Immutable. `namespace` defaults to the Repository's own. */
  readonly registryRef: { readonly name: string; readonly namespace?: string };
  /** Go-style duration between scheduled syncs. Default: `1h`. */
  readonly syncInterval?: string;
  /** Go-style duration for one whole sync. Default: `10m`. */
  readonly syncTimeout?: string;
  /** Tries after the first. Default: 3. */
  readonly retryCount?: number;
  /** Go-style duration before the first retry; doubles after that. Default: `10s`. */
  readonly retryInterval?: string;
  /** EdgeSites by name. Default: the default site; where there is none, only metadata is synced. */
  readonly sites?: readonly string[];
  /** Default: `{mode: all}`. */
  readonly platforms?: PlatformSelection;
  readonly tagSelector?: TagSelector;
  /** Digest to stay at, whatever the tag says upstream. Default: follow the tag. */
  readonly pinnedDigest?: string;
  /** The same for tags of the selector, or for some sites only. A rollback writes them, so that no resync undoes it. Default: none. */
  readonly pins?: readonly TagPin[];
  /** Whether tags that vanished upstream are deleted at the sites. Default: false. */
  readonly prune?: boolean;
  /** Whether scheduled syncs are paused. Default: false. */
  readonly suspend?: boolean;
  /** Signature without which an image goes to no site. Default: none is asked for. */
  readonly verification?: VerificationSpec;
}

/** What `status.manifest` shows: one platform's image. */
export interface ManifestStatus {
  readonly architecture: string;
  readonly os: string;
  /** Human, such as `142MB`. */
  readonly size: string;
  /** RFC 3339, from the image config. */
  readonly created?: string;
  /** `size` is a decimal string of bytes. */
  readonly layers: readonly { readonly digest: string; readonly size: string }[];
}

/** Which sources served a copy to a site. */
export type ServedBy = 'upstream' | 'pool' | 'both';

export interface SiteStatus {
  readonly site: string;
  readonly state: 'Synced' | 'Failed' | 'Syncing' | 'Staged' | 'Pending';
  /** Where it lies there, such as `edge.example:5000/mirror/library/nginx`. Default: the site gets bundles, or is missing. */
  readonly target?: string;
  readonly digest?: string;
  /** RFC 3339 UTC of the last time the site was seen to have it. */
  readonly confirmed?: string;
  /** Where its content came from, where the EdgeSite chooses among sources. */
  readonly source?: ServedBy;
  readonly reason?: string;
  readonly message?: string;
}

export interface TagStatus {
  readonly tag: string;
  readonly digest: string;
  readonly size?: string;
  /** `Gone`: it vanished upstream, and the sites keep it. */
  readonly state: 'Synced' | 'Failed' | 'Gone' | 'Pending';
  /** The sites one by one, those in trouble first, bounded. */
  readonly sites?: readonly TagSiteStatus[];
}

/** One tag at one site. */
export interface TagSiteStatus {
  readonly site: string;
  readonly state: 'Synced' | 'Failed';
  /** What it shows, where that is not the tag's own digest: held by a rollback, or with fewer platforms. */
  readonly digest?: string;
  /** Code of what went wrong. */
  readonly reason?: string;
}

/** One version that the tag had. */
export interface VersionStatus {
  readonly tag: string;
  readonly digest: string;
  /** RFC 3339 UTC: first seen upstream. */
  readonly seen: string;
  /** RFC 3339 UTC: placed at the sites. */
  readonly placed?: string;
  readonly syncId?: string;
}

/** One finished sync, newest first, bounded. */
export interface SyncRecord {
  readonly id: string;
  readonly trigger: SyncTrigger;
  readonly result: 'Success' | 'Failed' | 'Unchanged' | 'Cancelled' | 'Waiting';
  readonly started: string;
  readonly ended: string;
  readonly digest?: string;
  readonly bytesMoved: number;
  readonly bytesReused: number;
  readonly reason?: string;
  readonly message?: string;
  /** Temporal workflow and run id. */
  readonly workflowId: string;
  readonly runId: string;
}

/**
 * Every reason to start a sync. `site`: one of its sites is new or was changed; `urgent`: a person asked for it now, sync
 * windows or not; `resumed`: a site that waited can go on.
 */
export const syncTriggers = [
  'create',
  'manual',
  'schedule',
  'spec',
  'site',
  'batch',
  'rollback',
  'repair',
  'urgent',
  'resumed',
] as const;

/** Why a sync was started. */
export type SyncTrigger = (typeof syncTriggers)[number];

/** Whether a text is one. */
export const isSyncTrigger = (text: unknown): text is SyncTrigger =>
  syncTriggers.some((trigger) => trigger === text);

export interface RepositoryStatus {
  readonly observedGeneration?: number;
  readonly domain?: string;
  /** Path with tag, such as `library/nginx:1.27`. */
  readonly image?: string;
  readonly syncStatus?: 'Success' | 'Failed' | 'Syncing' | '';
  /** Percent text such as `42%`. */
  readonly syncProgress?: string;
  /** RFC 3339 UTC of the last sync that ended well. */
  readonly lastSynced?: string;
  /** Digest the tag had then. */
  readonly digest?: string;
  readonly manifest?: ManifestStatus;
  readonly sites?: readonly SiteStatus[];
  readonly tags?: readonly TagStatus[];
  readonly versions?: readonly VersionStatus[];
  readonly history?: readonly SyncRecord[];
  readonly conditions?: readonly Condition[];
}

/** One image to keep in sync. */
export interface Repository extends Resource<'Repository'> {
  readonly spec: RepositorySpec;
  readonly status?: RepositoryStatus;
}
