import { Failure } from '../../domain/failure.ts';
import type { InspectedImage } from '../../domain/lifecycle/inspected-image.ts';
import { parseManifest, type Manifest } from '../../domain/image/manifest.ts';
import type { Descriptor } from '../../domain/image/descriptor.ts';
import type { Digest } from '../../domain/names/digest.ts';
import type { TagName } from '../../domain/names/tag.ts';
import type { ContentStore, ManifestSource } from './content.ts';
import type { CopyEngine, RepositoryEndpoint } from './engine.ts';

/** Opens a site's repository as a content store. */
export type OpenRepository = (endpoint: RepositoryEndpoint) => ContentStore;

/** Looks at what a site has. Nothing in here can delete or write: a dry run is handed this and no more (faults.md J11). */
export interface ImageInspector {
  /** All tags, complete or a Failure; empty for a repository that the registry does not have. */
  listTags(endpoint: RepositoryEndpoint, signal?: AbortSignal): Promise<readonly TagName[]>;
  /** The image under a tag or digest from its manifests alone; undefined where there is none. */
  inspect(
    endpoint: RepositoryEndpoint,
    reference: TagName | Digest,
    signal?: AbortSignal,
  ): Promise<InspectedImage | undefined>;
}

/** How deep indexes may nest; one level is usual. */
const maxDepth = 4;

/** An inspector over the copy engine's listing and any stores. */
export function createImageInspector(
  engine: Pick<CopyEngine, 'listTags'>,
  open: OpenRepository,
): ImageInspector {
  return {
    async listTags(endpoint, signal) {
      try {
        return await engine.listTags(endpoint, signal);
      } catch (error) {
        if (error instanceof Failure && error.code === 'RepositoryNotFound') return [];
        throw error;
      }
    },
    async inspect(endpoint, reference, signal) {
      const store = open(endpoint);
      const root = await store.resolve(reference, signal);
      return root === undefined ? undefined : inspectGraph(store, root, signal);
    },
  };
}

async function inspectGraph(
  store: ManifestSource,
  root: Descriptor,
  signal: AbortSignal | undefined,
): Promise<InspectedImage> {
  const blobs = new Map<Digest, number>();
  const children = new Set<Digest>();
  let subject: Digest | undefined;
  const visit = async (descriptor: Descriptor, depth: number): Promise<void> => {
    if (depth > maxDepth)
      throw new Failure('InvalidManifest', { subject: root.digest, detail: 'nested too deep' });
    const manifest = await readGraphPart(store, descriptor, depth === 0, signal);
    if (manifest === undefined) return;
    blobs.set(descriptor.digest, descriptor.size);
    if (depth === 0) subject = manifest.subject?.digest;
    for (const blob of manifest.blobs) blobs.set(blob.digest, blob.size);
    for (const child of manifest.children) {
      children.add(child.digest);
      await visit(child, depth + 1);
    }
  };
  await visit(root, 0);
  return {
    digest: root.digest,
    children: [...children],
    blobs: [...blobs],
    ...(subject === undefined ? {} : { subject }),
  };
}

/** A child that is not there is no error here: sparse indexes are wanted that way. */
async function readGraphPart(
  store: ManifestSource,
  descriptor: Descriptor,
  isRoot: boolean,
  signal: AbortSignal | undefined,
): Promise<Manifest | undefined> {
  try {
    const { bytes } = await store.readManifest(descriptor.digest, signal);
    return parseManifest({ bytes, contentType: descriptor.mediaType, subject: descriptor.digest });
  } catch (error) {
    if (!isRoot && error instanceof Failure && error.code === 'ManifestNotFound') return undefined;
    throw error;
  }
}
