import type { Descriptor } from '../../domain/image/descriptor.ts';
import type { Digest } from '../../domain/names/digest.ts';
import type { RegistryDomain } from '../../domain/names/registry-domain.ts';
import type { RepositoryPath } from '../../domain/names/repository-path.ts';
import type { TagName } from '../../domain/names/tag.ts';
import type { Failure } from '../../domain/failure.ts';
import type { BandwidthLimiter } from './bandwidth.ts';
import type { UploadMemory } from './content.ts';
import type { SiteSource } from '../../domain/resources/edge-site.ts';
import type { ManifestStatus, PlatformSelection, ServedBy } from '../../domain/resources/repository.ts';
import type { RegistryAccessSpec, RegistryCapability } from '../../domain/resources/registry-secret.ts';

/** A user name and password as read from a Secret at the moment of use. Never logged, never stored. */
export interface Credential {
  readonly username: string;
  readonly password: string;
}

/** A registry, how to reach it and with what. */
export interface RegistryAccess extends RegistryAccessSpec {
  readonly domain: RegistryDomain;
  readonly provider: string;
  /** Default: anonymous. */
  readonly credential?: Credential;
}

/** One repository of a registry: where an image is read from or written to. */
export interface RepositoryEndpoint {
  readonly registry: RegistryAccess;
  readonly path: RepositoryPath;
}

/** Bytes and requests of one copy. `moved` went over the wire to targets, `reused` was there or mounted. */
export interface CopyReport {
  readonly root: Digest;
  readonly bytesRead: number;
  readonly bytesMoved: number;
  readonly bytesReused: number;
  readonly blobsMoved: number;
  readonly blobsReused: number;
  readonly manifestsPushed: number;
  /** Signatures and other attachments copied with the image. */
  readonly referrers: number;
  /** Attachments that the source has and the target does not show: then the copy is only partial. */
  readonly referrersMissing: number;
  /** Which sources content was read from, where the request chose among them. Default: not chosen, or nothing was read. */
  readonly servedBy?: ServedBy;
}

export interface CopyProgress {
  /** Bytes known to be needed at all targets, and those that are there by now. */
  readonly totalBytes: number;
  readonly doneBytes: number;
  /** Bytes that were sent so far. */
  readonly movedBytes: number;
}

export interface CopyRequest {
  readonly source: RepositoryEndpoint;
  /** What to copy, resolved once. */
  readonly root: Descriptor;
  readonly target: RepositoryEndpoint;
  /** The tag that led to `root`, so that copying it onto itself is refused. Default: none, `root` came by digest. */
  readonly sourceTag?: TagName;
  /** The tag to write last. Default: none, only content. */
  readonly tag?: TagName;
  /** Repositories of the target, declared to be open to the same credential, to take blobs over from. Default: none. */
  readonly mountFrom?: readonly RepositoryPath[];
  readonly platforms?: PlatformSelection;
  /** Shared with whatever else must not be faster together. Default: no limit. */
  readonly limiter?: BandwidthLimiter;
  /** Whether signatures and other attachments travel along. Default: true. */
  readonly referrers?: boolean;
  /** Whether a target whose tag is right already is checked and repaired all the same. Default: false. */
  readonly recheck?: boolean;
  /** Where content is read: with `auto` first in the pool of bundles, each falling over to the other. Default: `upstream`. */
  readonly from?: SiteSource;
}

/** One of several targets of a copy. */
export interface CopyTarget {
  readonly endpoint: RepositoryEndpoint;
  /** Stops the copy to this target. Default: that of all. */
  readonly signal?: AbortSignal;
  /** Shared with whatever else must not be faster together. Default: no limit. */
  readonly limiter?: BandwidthLimiter;
}

/** A copy to several targets with one read of each blob. */
export interface CopyToManyRequest extends Omit<CopyRequest, 'target' | 'limiter' | 'from'> {
  readonly targets: readonly CopyTarget[];
}

/** What became of one of several targets. */
export type CopyOutcome =
  | { readonly report: CopyReport }
  /** `bytesMoved`: what was sent before it failed. */
  | { readonly failure: Failure; readonly bytesMoved: number };

export interface CopyHooks {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: CopyProgress) => void;
  /** Asked right before the tag is written; throws `Superseded` where the work is no longer wanted. */
  readonly fence?: () => Promise<void>;
  /** Uploads cut off in an earlier process, and where new ones are noted. Default: remembered in this process only. */
  readonly uploads?: UploadMemory;
}

/** What the activities need from the copy engine. */
export interface CopyEngine {
  /** HEAD by tag or digest; undefined where the registry has no such manifest. Counts as no pull. */
  resolve(
    endpoint: RepositoryEndpoint,
    reference: TagName | Digest,
    signal?: AbortSignal,
  ): Promise<Descriptor | undefined>;
  /** All tags, complete or a `ListingIncomplete`. */
  listTags(endpoint: RepositoryEndpoint, signal?: AbortSignal): Promise<readonly TagName[]>;
  /** Copies a graph: children first, read back, tag last. */
  copy(request: CopyRequest, hooks?: CopyHooks): Promise<CopyReport>;
  /** Copies a graph to several targets, each with its own outcome, in their order. Throws where the source is the reason. */
  copyToMany(request: CopyToManyRequest, hooks?: CopyHooks): Promise<readonly CopyOutcome[]>;
  /** Manifest details of the platform that `status.manifest` shows: `linux/amd64` where present, else the first. */
  describe(endpoint: RepositoryEndpoint, root: Descriptor, signal?: AbortSignal): Promise<ManifestStatus>;
  /** Throws the code of the first part that is missing or damaged. */
  verifyGraph(
    endpoint: RepositoryEndpoint,
    root: Digest,
    options?: { readonly deep?: boolean; readonly signal?: AbortSignal },
  ): Promise<void>;
}

/** What signing in showed. */
export interface VerifyOutcome {
  readonly capabilities: readonly RegistryCapability[];
  readonly pullQuota?: { readonly remaining: number; readonly limit: number; readonly windowSeconds: number };
  /** RFC 3339 UTC. */
  readonly expires?: string;
}

/** Checks a credential against a registry; throws the failure that a person should read. */
export interface RegistryVerifier {
  /** `paths`: repositories to probe for what the credential may do there. */
  verify(
    access: RegistryAccess,
    paths: readonly RepositoryPath[],
    signal?: AbortSignal,
  ): Promise<VerifyOutcome>;
}
