import { Failure } from '../../domain/failure.ts';
import type { Digest } from '../../domain/names/digest.ts';
import type { TagName } from '../../domain/names/tag.ts';
import type { RepositoryEndpoint } from './engine.ts';
import type { OpenRepository } from './image-inspector.ts';

/** Points a tag at content that the repository has already. */
export interface TagMover {
  /**
   * Writes the tag and reads it back; nothing is copied. Throws `RollbackTargetMissing` where the manifest is not there:
   * whether the rest of the graph is, the caller has checked before.
   */
  move(endpoint: RepositoryEndpoint, tag: TagName, digest: Digest, signal?: AbortSignal): Promise<void>;
}

/** A mover over any stores. */
export function createTagMover(open: OpenRepository): TagMover {
  return {
    async move(endpoint, tag, digest, signal) {
      const store = open(endpoint);
      const subject = `${store.label}:${tag}`;
      if ((await store.resolve(digest, signal)) === undefined)
        throw new Failure('RollbackTargetMissing', { side: 'destination', subject });
      await store.pushManifest(await store.readManifest(digest, signal), tag, signal);
      if ((await store.resolve(tag, signal))?.digest !== digest)
        throw new Failure('ReadBackPending', { side: 'destination', subject });
    },
  };
}
