import type { Descriptor } from '../../domain/image/descriptor.ts';
import { Failure } from '../../domain/failure.ts';
import type { Digest } from '../../domain/names/digest.ts';
import type { TagName } from '../../domain/names/tag.ts';
import type { Attachment, ByteSink, ContentSource, StoredManifest } from '../copy/content.ts';
import { BlobPool } from '../storage/blob-pool.ts';
import type { BundleShelf } from '../storage/bundle-shelf.ts';
import { parseImageRecord, type ImageRecord } from './image-record.ts';

/**
 * The pool as the source of one image, or of those parts of it that it has. The pool itself does not know what is attached
 * to what: the image's record does, which is there once all of the image was staged.
 */
export class PoolSource implements ContentSource {
  readonly label: string;
  readonly key: string;
  readonly root: Descriptor;
  readonly #pool: BlobPool;
  readonly #shelf: BundleShelf;
  #record: ImageRecord | undefined;

  /** `record`: default is to read it when it is asked for. */
  constructor(shelf: BundleShelf, root: Descriptor, record?: ImageRecord) {
    this.#shelf = shelf;
    this.#pool = new BlobPool(shelf.store);
    this.root = root;
    this.#record = record;
    this.label = this.#pool.label;
    this.key = this.#pool.key;
  }

  async resolve(reference: TagName | Digest): Promise<Descriptor | undefined> {
    return reference === this.root.digest ? this.root : undefined;
  }

  readManifest(digest: Digest, signal?: AbortSignal): Promise<StoredManifest> {
    return this.#pool.readManifest(digest, signal);
  }

  /** Throws `SourceIncomplete` where the pool does not have it. */
  async readBlob(blob: Descriptor, from: number, sink: ByteSink, signal?: AbortSignal): Promise<void> {
    if (!(await this.#pool.hasBlob(blob, signal)))
      throw new Failure('SourceIncomplete', { side: 'storage', subject: blob.digest });
    await this.#pool.readBlob(blob, from, sink, signal);
  }

  /** Throws `ManifestNotFound` where the image was never staged whole: nobody knows what is attached to it. */
  async referrers(digest: Digest): Promise<readonly Attachment[]> {
    if (digest !== this.root.digest) return [];
    this.#record ??= parseImageRecord(await this.#shelf.imageRecord(digest));
    if (this.#record === undefined)
      throw new Failure('ManifestNotFound', { side: 'storage', subject: digest });
    return this.#record.attachments;
  }
}
