import type { Descriptor } from '../../domain/image/descriptor.ts';
import type { Digest } from '../../domain/names/digest.ts';
import type { ContentTarget } from './content.ts';
import { loadGraph } from './image-graph.ts';
import { isCollected, ProvenParts } from './proven-parts.ts';

/** Blobs in a row that a new repository has to lack before it is believed to be empty. */
const enoughMisses = 16;
/** An older image of more manifests than this is not worth reading. */
const maxManifests = 16;

/**
 * What a target most likely has or lacks, so that it need not be asked blob by blob. Only ever saves a question: whatever
 * is believed to be there is read back before the tag is written, and sent where it is not.
 */
export class BlobGuesses {
  readonly #there = new ProvenParts();
  readonly #misses = new Map<string, number>();

  /** True and false where there is a guess; undefined where the target has to be asked. */
  of(target: ContentTarget, digest: Digest): boolean | undefined {
    if (this.#there.has(target, digest)) return true;
    return (this.#misses.get(target.key) ?? 0) >= enoughMisses ? false : undefined;
  }

  /** The target showed or was given this blob. */
  there(target: ContentTarget, digest: Digest): void {
    this.#there.add(target, digest);
  }

  /** A question was answered. One blob that is there shows that a repository is not new. */
  answered(target: ContentTarget, blob: Descriptor, isThere: boolean): void {
    if (isThere) this.there(target, blob.digest);
    const misses = this.#misses.get(target.key);
    if (misses === undefined) return;
    if (isThere) this.#misses.delete(target.key);
    else this.#misses.set(target.key, misses + 1);
  }

  /** The repository had no tags a moment ago. */
  isNew(target: ContentTarget): void {
    if (!isCollected(target)) this.#misses.set(target.key, 0);
  }

  /** The tag stands for another image so far: images that follow one another share most of their blobs. */
  async learnFrom(target: ContentTarget, older: Descriptor, signal?: AbortSignal): Promise<void> {
    if (isCollected(target)) return;
    const limits = { maxManifests, ...(signal === undefined ? {} : { signal }) };
    // An older image that cannot be read tells nothing.
    const graph = await loadGraph(target, older, limits).catch(() => undefined);
    for (const blob of graph?.blobs ?? []) this.there(target, blob.digest);
  }

  /** The target contradicted: from now on it is asked. */
  drop(target: ContentTarget): void {
    this.#there.drop(target);
    this.#misses.delete(target.key);
  }
}
