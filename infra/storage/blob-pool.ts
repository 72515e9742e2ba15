import { Failure } from '../../domain/failure.ts';
import type { Descriptor } from '../../domain/image/descriptor.ts';
import { maxManifestBytes, parseManifest } from '../../domain/image/manifest.ts';
import { digestHex, parseDigest, type Digest } from '../../domain/names/digest.ts';
import type { TagName } from '../../domain/names/tag.ts';
import type {
  Attachment,
  BlobUpload,
  ByteSink,
  ContentStore,
  StoredManifest,
  UploadOptions,
} from '../copy/content.ts';
import { manifestTypeOf } from '../layout/manifest-type.ts';
import { sha256 } from '../trust/ed25519.ts';
import type { ObjectStore, StoredObject } from './object-store.ts';
import { openPoolUpload } from './pool-upload.ts';

const poolPrefix = 'blobs/sha256/';

/** Key of a blob in the pool. Throws `UnsupportedDigestAlgorithm` for anything but sha256. */
export function poolKey(digest: Digest): string {
  if (!digest.startsWith('sha256:')) throw new Failure('UnsupportedDigestAlgorithm', { subject: digest });
  return `${poolPrefix}${digestHex(digest)}`;
}

/** Everything in the pool. */
export async function* listPool(
  store: ObjectStore,
): AsyncIterable<StoredObject & { readonly digest: Digest }> {
  for await (const object of store.list(poolPrefix)) {
    const hex = object.key.slice(poolPrefix.length);
    if (/^[0-9a-f]{64}$/.test(hex)) yield { ...object, digest: parseDigest(`sha256:${hex}`) };
  }
}

/** A manifest that a copy wrote, and under which tag where it had one. */
export interface PlacedManifest extends StoredManifest {
  readonly tag?: TagName;
}

/**
 * The pool as the target of one image's copy. Each blob is stored once for all sites. It has no tags and no list of what
 * refers to what: those are kept here, for this copy alone, and go into the bundle's signed list.
 */
export class BlobPool implements ContentStore {
  readonly provesOnSight = true;
  readonly label: string;
  readonly key: string;
  readonly placed: PlacedManifest[] = [];
  readonly #store: ObjectStore;

  constructor(store: ObjectStore) {
    this.#store = store;
    this.label = `pool ${store.bucket}`;
    this.key = `s3:${store.bucket}`;
  }

  async resolve(reference: TagName | Digest, signal?: AbortSignal): Promise<Descriptor | undefined> {
    const placed = this.placed.find(({ descriptor, tag }) =>
      [descriptor.digest as string, tag].includes(reference),
    );
    if (placed === undefined || !reference.includes(':')) return placed?.descriptor;
    const there = await this.#store.head(poolKey(placed.descriptor.digest), signal);
    return there?.size === placed.descriptor.size ? placed.descriptor : undefined;
  }

  async readManifest(digest: Digest, signal?: AbortSignal): Promise<StoredManifest> {
    const bytes = await this.#store.read(poolKey(digest), maxManifestBytes, signal);
    if (bytes === undefined) throw new Failure('ManifestNotFound', { side: 'storage', subject: digest });
    if (sha256(bytes) !== digest) throw new Failure('DigestMismatch', { side: 'storage', subject: digest });
    return { bytes, descriptor: { mediaType: manifestTypeOf(bytes), digest, size: bytes.byteLength } };
  }

  async readBlob(blob: Descriptor, from: number, sink: ByteSink, signal?: AbortSignal): Promise<void> {
    for await (const chunk of this.#store.stream(poolKey(blob.digest), from, undefined, signal)) {
      await sink(chunk);
    }
  }

  async referrers(subject: Digest): Promise<readonly Attachment[]> {
    return this.placed
      .filter(({ bytes, descriptor, tag }) => {
        const manifest = parseManifest({ bytes, contentType: descriptor.mediaType });
        return tag === undefined && manifest.subject?.digest === subject;
      })
      .map(({ descriptor }) => descriptor);
  }

  /** An object of another size is no blob of ours: it is written anew. */
  hasBlob(blob: Descriptor, signal?: AbortSignal): Promise<boolean> {
    return this.proveBlob(blob, signal);
  }

  openUpload(blob: Descriptor, options: UploadOptions = {}): Promise<BlobUpload> {
    return openPoolUpload(this.#store, poolKey(blob.digest), blob, options.resume ?? true, options.signal);
  }

  proveBlob(blob: Descriptor, signal?: AbortSignal): Promise<boolean> {
    return this.#store.provesSize(poolKey(blob.digest), blob.size, signal);
  }

  async pushManifest(manifest: StoredManifest, tag?: TagName, signal?: AbortSignal): Promise<void> {
    const key = poolKey(manifest.descriptor.digest);
    const there = await this.#store.head(key, signal);
    if (there?.size !== manifest.bytes.byteLength) {
      await this.#store.write(key, manifest.bytes, signal === undefined ? {} : { signal });
    }
    const { digest } = manifest.descriptor;
    const known = this.placed.some((each) => each.descriptor.digest === digest && each.tag === tag);
    if (!known) this.placed.push({ ...manifest, ...(tag === undefined ? {} : { tag }) });
  }

  async removeTag(): Promise<boolean> {
    return false;
  }
}
