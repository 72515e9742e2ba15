import {
  planDelta,
  type AcknowledgedBase,
  type InventoryBase,
  type WantedImage,
} from '../../domain/bundle/delta.ts';
import { checkBundleSize } from '../../domain/bundle/limits.ts';
import type { StagedImage, StagePlan } from '../../domain/bundle/stage-plan.ts';
import type { RepositoryEndpoint } from '../copy/engine.ts';
import { inParallel } from '../copy/in-parallel.ts';
import { loadSelected } from '../copy/select-platforms.ts';
import type { RegistryClients } from '../registry/registry-client.ts';
import { RegistryStore } from '../registry/registry-store.ts';
import { BlobPool } from '../storage/blob-pool.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { PooledSource } from './pooled-source.ts';

/** What a bundle is measured with. */
export interface MeasureParts {
  readonly plan: StagePlan;
  readonly base: AcknowledgedBase | InventoryBase | undefined;
  readonly store: ObjectStore;
  readonly clients: RegistryClients;
  readonly source: (image: StagedImage) => Promise<RepositoryEndpoint>;
  readonly signal: AbortSignal;
}

/**
 * Reckons what a bundle would carry from the manifests alone, and throws `QuotaExceeded` where its site could not take
 * that (fault K15). The manifests go into the pool, so that nothing is read upstream twice; signatures, which are small,
 * are counted when the bundle is published.
 */
export async function measureBundle(parts: MeasureParts): Promise<void> {
  const { plan, base, store } = parts;
  const wanted: WantedImage[] = [];
  const measureOne = async (image: StagedImage): Promise<void> => {
    const pool = new BlobPool(store);
    const { registry, path } = await parts.source(image);
    const upstream = new RegistryStore(parts.clients.of(registry), path, 'source');
    const source = new PooledSource(upstream, pool);
    const graph = await loadSelected(source, image.root, image.platforms, parts.signal);
    for (const { stored } of graph.manifests) await pool.pushManifest(stored, undefined, parts.signal);
    const content = [...graph.manifests.map(({ stored }) => stored.descriptor), ...graph.blobs];
    const { repo, tag } = image;
    const { digest, mediaType, size } = graph.root;
    wanted.push({ repo, tag, digest, mediaType, size, content, referrers: [] });
  };
  await inParallel(plan.images, measureOne, 8);
  checkBundleSize(planDelta(wanted, base).bytes, plan.limits ?? {});
}
