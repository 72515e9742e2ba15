import type { Descriptor } from '../../domain/image/descriptor.ts';
import { Failure } from '../../domain/failure.ts';
import type { Digest } from '../../domain/names/digest.ts';
import type { TagName } from '../../domain/names/tag.ts';
import type { Attachment, ByteSink, ContentSource, StoredManifest } from '../copy/content.ts';

/** A registry, of which what the pool has already is read from the pool: upstream counts each manifest as a pull. */
export class PooledSource implements ContentSource {
  readonly label: string;
  readonly key: string;
  readonly #upstream: ContentSource;
  readonly #pool: Pick<ContentSource, 'readManifest'>;

  constructor(upstream: ContentSource, pool: Pick<ContentSource, 'readManifest'>) {
    this.#upstream = upstream;
    this.#pool = pool;
    this.label = upstream.label;
    this.key = upstream.key;
  }

  resolve(reference: TagName | Digest, signal?: AbortSignal): Promise<Descriptor | undefined> {
    return this.#upstream.resolve(reference, signal);
  }

  async readManifest(digest: Digest, signal?: AbortSignal): Promise<StoredManifest> {
    try {
      return await this.#pool.readManifest(digest, signal);
    } catch (error) {
      if (!(error instanceof Failure) || error.retryable) throw error;
      return this.#upstream.readManifest(digest, signal);
    }
  }

  readBlob(blob: Descriptor, from: number, sink: ByteSink, signal?: AbortSignal): Promise<void> {
    return this.#upstream.readBlob(blob, from, sink, signal);
  }

  referrers(digest: Digest, signal?: AbortSignal): Promise<readonly Attachment[]> {
    return this.#upstream.referrers(digest, signal);
  }
}
