import { printContent, printInventory, sortedContent } from '../../domain/bundle/inventory.ts';
import { bundleCaps } from '../../domain/bundle/caps.ts';
import { statementPayloadType, type BundleBlob } from '../../domain/bundle/statement.ts';
import { asFailure, Failure } from '../../domain/failure.ts';
import type { Descriptor } from '../../domain/image/descriptor.ts';
import type { SiteName } from '../../domain/names/kubernetes-name.ts';
import type { RepositoryPath } from '../../domain/names/repository-path.ts';
import type { TagName } from '../../domain/names/tag.ts';
import type { SiteUsage } from '../../domain/usage/site-usage.ts';
import type { ContentStore } from '../copy/content.ts';
import { loadGraph } from '../copy/image-graph.ts';
import { inParallel } from '../copy/in-parallel.ts';
import { sha256, signEnvelope, type Signer } from '../trust/ed25519.ts';

/** A site's registry as an inventory looks at it. */
export interface InventoriedRegistry {
  readonly repository: (path: RepositoryPath) => ContentStore & {
    listTags(signal?: AbortSignal): Promise<readonly TagName[]>;
  };
}

export interface InventoryOptions {
  readonly site: SiteName;
  readonly repositories: readonly RepositoryPath[];
  readonly signer: Signer;
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly signal?: AbortSignal;
  /** What the site's Pods use. Default: not told. */
  readonly usage?: SiteUsage;
  /** Told of an image that is not whole and so does not count. */
  readonly onDamage?: (image: string, code: string) => void;
}

/**
 * Looks through a site's registry and signs what it has: of every tagged image the manifests and the blobs, each read
 * back at its last byte. An image that is not whole counts for nothing, so that a bundle brings it anew.
 */
export async function takeInventory(
  { repository }: InventoriedRegistry,
  options: InventoryOptions,
): Promise<{ readonly bytes: Uint8Array; readonly parts: number; readonly images: number }> {
  const content: BundleBlob[] = [];
  let images = 0;
  for (const repo of options.repositories) {
    const store = repository(repo);
    const proven = new Set<string>();
    for (const tag of await store.listTags(options.signal)) {
      const parts = await partsOf(store, tag, proven, options);
      if (parts === undefined) continue;
      images += 1;
      for (const { digest, size } of parts) content.push({ digest, size, repo });
    }
  }
  const sorted = sortedContent(content);
  if (sorted.length > bundleCaps.blobs) {
    throw new Failure('BundleTooLarge', { detail: `more than ${bundleCaps.blobs} parts` });
  }
  const payload = printInventory({
    site: options.site,
    takenAt: new Date(options.now()).toISOString(),
    contentDigest: sha256(printContent(sorted)),
    content: sorted,
    ...(options.usage === undefined ? {} : { usage: options.usage }),
  });
  const bytes = signEnvelope(statementPayloadType, payload, [options.signer]);
  return { bytes, parts: sorted.length, images };
}

async function partsOf(
  store: ContentStore,
  tag: TagName,
  proven: Set<string>,
  { signal, onDamage }: InventoryOptions,
): Promise<readonly Descriptor[] | undefined> {
  try {
    const root = await store.resolve(tag, signal);
    if (root === undefined) return undefined;
    const graph = await loadGraph(store, root, signal === undefined ? {} : { signal });
    await inParallel(graph.blobs, async (blob) => {
      if (proven.has(blob.digest)) return;
      if (!(await store.proveBlob(blob, signal))) {
        throw new Failure('SourceIncomplete', { side: 'destination', subject: blob.digest });
      }
      proven.add(blob.digest);
    });
    const parts = [...graph.manifests.map(({ stored }) => stored.descriptor), ...graph.blobs];
    return parts.filter(({ digest }) => digest.startsWith('sha256:'));
  } catch (error) {
    const failure = asFailure(error);
    if (failure.retryable || failure.code === 'Cancelled') throw failure;
    onDamage?.(`${store.label}:${tag}`, failure.code);
    return undefined;
  }
}
