import type { Descriptor } from '../../domain/image/descriptor.ts';
import type { Digest } from '../../domain/names/digest.ts';
import type { RepositoryPath } from '../../domain/names/repository-path.ts';
import type { TagName } from '../../domain/names/tag.ts';

/**
 * Takes the next bytes of a blob. The chunk is the reader's own buffer and is reused: it may be touched only until the
 * call returns, or, where a promise is returned, until that resolves. The reader keeps the order and may have two calls
 * open at once, so that reading and writing overlap.
 */
export type ByteSink = (chunk: Uint8Array) => Promise<void> | undefined;

/** A manifest's exact bytes. Never re-serialised: the digest is over these bytes. */
export interface StoredManifest {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
}

export interface ManifestSource {
  /** What a tag or digest stands for, without reading it (a registry's HEAD); undefined where there is none. */
  resolve(reference: TagName | Digest, signal?: AbortSignal): Promise<Descriptor | undefined>;
  /** Reads at most 4 MiB and checks them against the digest. Throws `ManifestNotFound`, `DigestMismatch`, `ManifestTooLarge`. */
  readManifest(digest: Digest, signal?: AbortSignal): Promise<StoredManifest>;
}

export interface BlobSource {
  /**
   * Delivers a blob's bytes from offset `from` to the end; resolves when the last sink call resolved. Does not hash and
   * does not retry: the copy algorithm does both, and continues a broken read at the next byte. Throws a retryable code
   * where the read broke off, `SourceIncomplete` where the blob is not there, `RangeRefused` where `from` cannot be had.
   */
  readBlob(blob: Descriptor, from: number, sink: ByteSink, signal?: AbortSignal): Promise<void>;
}

/** A manifest that belongs to another one: by its `subject`, or by a tag such as cosign's `sha256-<hex>.sig`. */
export interface Attachment extends Descriptor {
  /** The tag that makes it one. Default: its `subject` does. */
  readonly tag?: TagName;
}

export interface ReferrerSource {
  /** Signatures and other attachments of `digest`; complete, or it throws. Empty for a store that has none. */
  referrers(digest: Digest, signal?: AbortSignal): Promise<readonly Attachment[]>;
}

/** A blob on its way in. Invisible to readers of the store until committed. */
export interface BlobUpload {
  /** Bytes that the store holds from an earlier try; the first `write` continues there. */
  readonly offset: number;
  /** Appends. Calls come in order; the next may come before the former has resolved. Resolves when `chunk` may be reused. */
  write(chunk: Uint8Array): Promise<void>;
  /** Makes the blob visible; called once, after the caller has hashed all bytes. Throws `DigestMismatch` where the store disagrees. */
  commit(): Promise<void>;
  /** Gives up. What can be continued later is kept where `keep` is true, else removed. Never throws. */
  abandon(keep: boolean): Promise<void>;
}

/**
 * Remembers uploads that were cut off, so that another process can continue them. Only a hint: a store that does not
 * know the upload any more starts a new one.
 */
export interface UploadMemory {
  recall(key: string): string | undefined;
  /** `undefined` forgets. */
  remember(key: string, upload: string | undefined): void;
}

export interface BlobTarget {
  /** Whether the store says it has the blob (a registry's HEAD). A hint: proven by {@link BlobProof} later. */
  hasBlob(blob: Descriptor, signal?: AbortSignal): Promise<boolean>;
  /** Whether `hasBlob` and a commit read the blob's last byte back already, so that no proof is asked for. Default: false. */
  readonly provesOnSight?: boolean;
  /** Opens an upload, continuing one that was cut off where `memory` knows it and `resume` is not false. */
  openUpload(blob: Descriptor, options?: UploadOptions): Promise<BlobUpload>;
}

export interface UploadOptions {
  readonly signal?: AbortSignal;
  /** Default: none; a cut-off upload is continued only within its own process. */
  readonly memory?: UploadMemory;
  /** False starts at byte 0. Default: true. */
  readonly resume?: boolean;
}

export interface BlobProof {
  /** Reads the blob's last byte, never only its headers: a registry's HEAD lies after a garbage collection. */
  proveBlob(blob: Descriptor, signal?: AbortSignal): Promise<boolean>;
}

export interface ManifestTarget {
  /** Writes by digest, or under `tag` as well. Throws `DestinationGC` where the store misses a part of it. */
  pushManifest(
    manifest: StoredManifest,
    tag?: TagName,
    signal?: AbortSignal,
    options?: ChangeOptions,
  ): Promise<void>;
  /** Removes a tag and nothing else; false where the store cannot. */
  removeTag(tag: TagName, signal?: AbortSignal, options?: ChangeOptions): Promise<boolean>;
}

export interface ChangeOptions {
  /**
   * True where a request whose answer is lost must not be sent again: it may have worked, and somebody may have changed
   * the tag since. Default: false.
   */
  readonly once?: boolean;
}

export interface BlobMounter {
  /** Takes a blob over from another repository of the same store without moving it; false where that did not work. */
  mountBlob(blob: Descriptor, from: RepositoryPath, signal?: AbortSignal): Promise<boolean>;
}

/** What a graph can be copied from. */
export interface ContentSource extends ManifestSource, BlobSource, ReferrerSource, StoreIdentity {}

/** What a graph can be copied to. */
export interface ContentTarget
  extends ManifestSource, BlobTarget, BlobProof, ManifestTarget, ReferrerSource, StoreIdentity {
  readonly mounter?: BlobMounter;
  /** All tags, complete, or it throws. Default: the store cannot tell. */
  listTags?(signal?: AbortSignal): Promise<readonly TagName[]>;
  /** Seconds after which a garbage collection that was running has certainly ended. Default: 0, none runs. */
  readonly gcSettleSeconds?: number;
  /** Whether untagged manifests may be dropped, so that a staging tag must hold the graph. Default: false. */
  readonly gcDeletesUntagged?: boolean;
}

export interface StoreIdentity {
  /** For people, such as `edge.example/a/b`; without any credential. */
  readonly label: string;
  /** Equal for two objects exactly where they are the same store: one upload of a blob runs per key. */
  readonly key: string;
  /** Equal where the credential is the same as well: what one may read is no right of the other. Default: `key`. */
  readonly access?: string;
}

/** What may be shared between two users of a store. */
export function accessOf({ key, access }: StoreIdentity): string {
  return access ?? key;
}

/** A store that can be both ends of a copy: a registry's repository, an OCI layout directory, an S3 pool. */
export interface ContentStore extends ContentSource, ContentTarget {}
