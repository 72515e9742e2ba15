import type { Descriptor } from '../../domain/image/descriptor.ts';
import { Failure } from '../../domain/failure.ts';
import type { Digest } from '../../domain/names/digest.ts';
import type { TagName } from '../../domain/names/tag.ts';
import type { PlatformSelection } from '../../domain/resources/repository.ts';
import type { BandwidthLimiter } from '../copy/bandwidth.ts';
import type { CopyContext } from '../copy/copy-graph.ts';
import { copyImage } from '../copy/copy-image.ts';
import type { CopyReport, RepositoryEndpoint } from '../copy/engine.ts';
import { loadGraph } from '../copy/image-graph.ts';
import { inParallel } from '../copy/in-parallel.ts';
import { ManifestCache } from '../copy/manifest-cache.ts';
import { ProvenParts } from '../copy/proven-parts.ts';
import { SingleFlight } from '../copy/single-flight.ts';
import type { RegistryClients } from '../registry/registry-client.ts';
import { RegistryStore } from '../registry/registry-store.ts';
import { BlobPool } from '../storage/blob-pool.ts';
import type { BundleShelf } from '../storage/bundle-shelf.ts';
import { parseImageRecord } from './image-record.ts';
import { PoolSource } from './pool-source.ts';

/** Where an image of the pool goes to. */
export interface PooledCopy {
  readonly target: RepositoryEndpoint;
  readonly tag: TagName;
  readonly platforms?: PlatformSelection;
  /** Shared with whatever else must not be faster together. Default: no limit. */
  readonly limiter?: BandwidthLimiter;
}

/** Whole images that were staged for bundles and lie in the pool still: a source that no registry can take away. */
export interface PooledImages {
  /** The image; undefined where the pool does not have all of it. */
  find(digest: Digest, signal?: AbortSignal): Promise<Descriptor | undefined>;
  /** Copies it with what is attached to it, read back, the tag last. Throws `RollbackTargetMissing` where it is gone. */
  copy(digest: Digest, to: PooledCopy, signal?: AbortSignal): Promise<CopyReport>;
}

/** The images of a shelf's pool. */
export function createPooledImages(shelf: BundleShelf, clients: RegistryClients): PooledImages {
  const find = async (digest: Digest, signal?: AbortSignal): Promise<PoolSource | undefined> => {
    const pool = new BlobPool(shelf.store);
    try {
      const { descriptor } = await pool.readManifest(digest, signal);
      const graph = await loadGraph(pool, descriptor, signal === undefined ? {} : { signal });
      const record = parseImageRecord(await shelf.imageRecord(digest)) ?? {
        root: descriptor,
        attachments: [],
      };
      await inParallel(graph.blobs, async (blob) => {
        if (!(await pool.hasBlob(blob, signal)))
          throw new Failure('ManifestNotFound', { side: 'storage', subject: blob.digest });
      });
      return new PoolSource(shelf, descriptor, record);
    } catch (error) {
      if (error instanceof Failure && !error.retryable && error.code !== 'Cancelled') return undefined;
      throw error;
    }
  };
  return {
    find: async (digest, signal) => (await find(digest, signal))?.root,
    async copy(digest, { target, tag, platforms, limiter }, signal) {
      const image = await find(digest, signal);
      if (image === undefined)
        throw new Failure('RollbackTargetMissing', { side: 'storage', subject: digest });
      const client = clients.of(target.registry);
      const context: CopyContext = {
        flights: new SingleFlight(),
        proven: new ProvenParts(),
        manifests: new ManifestCache(),
        limit: (task, _targets, bytes) => client.session.budget.writes.run(bytes, task, signal),
      };
      return copyImage(image, new RegistryStore(client, target.path, 'destination'), image.root, context, {
        tag,
        ...(signal === undefined ? {} : { signal }),
        ...(platforms === undefined ? {} : { platforms }),
        ...(limiter === undefined ? {} : { limiter }),
      });
    },
  };
}
