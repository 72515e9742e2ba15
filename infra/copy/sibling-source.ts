import { Failure } from '../../domain/failure.ts';
import type { Descriptor } from '../../domain/image/descriptor.ts';
import type { Digest } from '../../domain/names/digest.ts';
import type { TagName } from '../../domain/names/tag.ts';
import {
  accessOf,
  type Attachment,
  type BlobSource,
  type ByteSink,
  type ContentSource,
  type StoredManifest,
} from './content.ts';
import { WatchedSink } from './watched-sink.ts';

/** Which targets of a copy have which blobs by now, because this copy brought them there. */
export class BlobHolders {
  readonly #holders = new Map<Digest, Set<BlobSource>>();

  add(digest: Digest, holder: BlobSource): void {
    const known = this.#holders.get(digest) ?? new Set();
    this.#holders.set(digest, known.add(holder));
  }

  /** It could not be read there, or nowhere (default): it is not asked again. */
  drop(digest: Digest, holder?: BlobSource): void {
    if (holder === undefined) this.#holders.delete(digest);
    else this.#holders.get(digest)?.delete(holder);
  }

  of(digest: Digest): readonly BlobSource[] {
    return [...(this.#holders.get(digest) ?? [])];
  }
}

/**
 * The source of a copy to several targets, for one that was left behind: what others have got by now is read from them,
 * so that no byte is read twice upstream. Where that fails, upstream is there still.
 */
export class SiblingSource implements ContentSource {
  readonly label: string;
  readonly key: string;
  readonly access: string;
  readonly #source: ContentSource;
  readonly #holders: BlobHolders;

  constructor(source: ContentSource, holders: BlobHolders) {
    this.#source = source;
    this.#holders = holders;
    this.label = source.label;
    this.key = source.key;
    this.access = accessOf(source);
  }

  resolve(reference: TagName | Digest, signal?: AbortSignal): Promise<Descriptor | undefined> {
    return this.#source.resolve(reference, signal);
  }

  readManifest(digest: Digest, signal?: AbortSignal): Promise<StoredManifest> {
    return this.#source.readManifest(digest, signal);
  }

  referrers(digest: Digest, signal?: AbortSignal): Promise<readonly Attachment[]> {
    return this.#source.referrers(digest, signal);
  }

  async readBlob(blob: Descriptor, from: number, sink: ByteSink, signal?: AbortSignal): Promise<void> {
    for (const holder of this.#holders.of(blob.digest)) {
      const watched = new WatchedSink(sink);
      try {
        await holder.readBlob(blob, from, (chunk) => watched.take(chunk), signal);
        return;
      } catch (error) {
        // Wrong bytes at one of them, and none is believed about this blob any more.
        this.#holders.drop(blob.digest, watched.refused ? undefined : holder);
        if (watched.refused || signal?.aborted === true) throw error;
        // The reader goes on at the next byte, at the next one that has it.
        if (watched.taken > 0) throw new Failure('NetworkError', { side: 'source', cause: error });
      }
    }
    return this.#source.readBlob(blob, from, sink, signal);
  }
}
