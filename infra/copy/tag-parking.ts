import { asFailure, Failure } from '../../domain/failure.ts';
import type { Digest } from '../../domain/names/digest.ts';
import type { TagName } from '../../domain/names/tag.ts';
import { parkedTag } from '../../domain/lifecycle/parking.ts';
import type { ContentStore } from './content.ts';
import type { RepositoryEndpoint } from './engine.ts';
import type { OpenRepository } from './image-inspector.ts';
import { RetryPlan } from './retry-plan.ts';

/**
 * Takes tags away and puts them back. Only ever by tag: never by digest, which would take every other tag of the same
 * content along (faults.md J01, J02).
 */
export interface TagParking {
  /**
   * Removes a tag while a tag of ours holds its content. `moved` where the tag shows another digest by now, `gone` where
   * it is not there. Throws `TagDeleteUnsupported` before anything is lost, `SharedDigest` where the registry took other
   * tags of the digest along (they are put back). `fence` is asked right before the tag is removed, and stops that by
   * what it throws.
   */
  park(
    endpoint: RepositoryEndpoint,
    tag: TagName,
    digest: Digest,
    signal?: AbortSignal,
    fence?: () => Promise<void>,
  ): Promise<ParkOutcome>;
  /** Puts a parked tag back, unless it exists again. Throws `RollbackTargetMissing` where the content is gone. */
  restore(endpoint: RepositoryEndpoint, tag: TagName, digest: Digest, signal?: AbortSignal): Promise<void>;
  /** Lets go of a digest. What no other tag holds is free for the registry's garbage collection. */
  discard(endpoint: RepositoryEndpoint, digest: Digest, signal?: AbortSignal): Promise<void>;
}

export type ParkOutcome = 'parked' | 'moved' | 'gone';

/** Milliseconds for a registry to show a deletion (faults.md J17). */
const settleMs = 30_000;

/** Parking over any stores. */
export function createTagParking(open: OpenRepository): TagParking {
  return {
    async park(endpoint, tag, digest, signal, fence) {
      const store = open(endpoint);
      const holder = parkedTag(digest);
      const seen = await store.resolve(tag, signal);
      if (seen === undefined) return (await store.resolve(holder, signal)) === undefined ? 'gone' : 'parked';
      if (seen.digest !== digest) return 'moved';
      const manifest = await store.readManifest(digest, signal);
      if ((await store.resolve(holder, signal)) === undefined) await tryOut(store, manifest, holder, signal);
      await store.pushManifest(manifest, holder, signal);
      await fence?.();
      if (!(await removeOnce(store, tag, digest, signal)))
        throw new Failure('TagDeleteUnsupported', about(store, tag));
      await awaitGone(store, tag, digest, signal);
      if ((await store.resolve(holder, signal)) !== undefined) return 'parked';
      await store.pushManifest(manifest, tag, signal);
      throw new Failure('SharedDigest', about(store, tag));
    },
    async restore(endpoint, tag, digest, signal) {
      const store = open(endpoint);
      if ((await store.resolve(tag, signal)) !== undefined) return;
      if ((await store.resolve(digest, signal)) === undefined)
        throw new Failure('RollbackTargetMissing', about(store, tag));
      await store.pushManifest(await store.readManifest(digest, signal), tag, signal);
    },
    async discard(endpoint, digest, signal) {
      const store = open(endpoint);
      const holder = parkedTag(digest);
      if (!(await store.removeTag(holder, signal)))
        throw new Failure('TagDeleteUnsupported', about(store, holder));
    },
  };
}

/** Finds out with a tag of our own whether the registry can delete one: nothing of the user's is at stake yet. */
async function tryOut(
  store: ContentStore,
  manifest: Awaited<ReturnType<ContentStore['readManifest']>>,
  holder: TagName,
  signal: AbortSignal | undefined,
): Promise<void> {
  await store.pushManifest(manifest, holder, signal);
  if (!(await store.removeTag(holder, signal)))
    throw new Failure('TagDeleteUnsupported', about(store, holder));
  if ((await store.resolve(manifest.descriptor.digest, signal)) !== undefined) return;
  await store.pushManifest(manifest, undefined, signal);
  throw new Failure('TagDeleteUnsupported', {
    ...about(store, holder),
    detail: 'it deletes the content as well',
  });
}

/** A deletion whose answer is lost may have worked, and the tag may have been written anew: look before the next try (faults.md J18). */
async function removeOnce(
  store: ContentStore,
  tag: TagName,
  digest: Digest,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  for (const retry = new RetryPlan(signal); ;) {
    try {
      return await store.removeTag(tag, signal, { once: true });
    } catch (error) {
      await retry.next(asFailure(error));
    }
    if ((await store.resolve(tag, signal))?.digest !== digest) return true;
  }
}

async function awaitGone(
  store: ContentStore,
  tag: TagName,
  digest: Digest,
  signal: AbortSignal | undefined,
): Promise<void> {
  const started = performance.now();
  while ((await store.resolve(tag, signal))?.digest === digest) {
    if (performance.now() - started > settleMs) throw new Failure('ReadBackPending', about(store, tag));
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

const about = (store: ContentStore, tag: TagName) =>
  ({ side: 'destination', subject: `${store.label}:${tag}` }) as const;
