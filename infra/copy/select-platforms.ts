import { createHash } from 'node:crypto';
import { Failure } from '../../domain/failure.ts';
import type { Descriptor } from '../../domain/image/descriptor.ts';
import { parseManifest } from '../../domain/image/manifest.ts';
import { rewriteIndex, selectChildren } from '../../domain/image/platform-selection.ts';
import { digestAlgorithm, parseDigest } from '../../domain/names/digest.ts';
import type { PlatformSelection } from '../../domain/resources/repository.ts';
import type { ManifestSource, StoredManifest } from './content.ts';
import { loadGraph, type ImageGraph } from './image-graph.ts';

/** Reads an image's graph as far as the selected platforms need it; with `rewrite`, under a new root. */
export async function loadSelected(
  source: ManifestSource,
  root: Descriptor,
  selection: PlatformSelection | undefined,
  signal: AbortSignal | undefined,
): Promise<ImageGraph> {
  const options = signal === undefined ? {} : { signal };
  const platforms = selection?.platforms ?? [];
  if (selection === undefined || selection.mode === 'all' || platforms.length === 0) {
    return loadGraph(source, root, options);
  }
  if (selection.mode === 'sparse') return loadSparse(source, root, platforms, options);
  const rewritten = await rewriteRoot(source, root, platforms, signal);
  const withNewRoot: ManifestSource = {
    resolve: (reference) => source.resolve(reference, signal),
    readManifest: (digest) =>
      digest === rewritten.descriptor.digest
        ? Promise.resolve(rewritten)
        : source.readManifest(digest, signal),
  };
  return loadGraph(withNewRoot, rewritten.descriptor, options);
}

/** An index inside another one may be all of other platforms, as long as some image is of a wanted one. */
async function loadSparse(
  source: ManifestSource,
  root: Descriptor,
  platforms: readonly string[],
  options: { readonly signal?: AbortSignal },
): Promise<ImageGraph> {
  // Chosen once an index: for each of its children again, that would be the square of a large one.
  const chosen = new WeakMap<readonly Descriptor[], ReadonlySet<Descriptor>>();
  const follow = (child: Descriptor, siblings: readonly Descriptor[]): boolean => {
    const wanted = chosen.get(siblings) ?? new Set(wantedOf(siblings, platforms));
    chosen.set(siblings, wanted);
    return wanted.has(child);
  };
  const graph = await loadGraph(source, root, { ...options, follow });
  if (graph.manifests.some(({ manifest }) => manifest.kind === 'image')) return graph;
  throw new Failure('PlatformNotFound', { side: 'source', subject: platforms.join(', ') });
}

function wantedOf(siblings: readonly Descriptor[], platforms: readonly string[]): readonly Descriptor[] {
  try {
    return selectChildren(siblings, platforms);
  } catch (error) {
    if (error instanceof Failure && error.code === 'PlatformNotFound') return [];
    throw error;
  }
}

async function rewriteRoot(
  source: ManifestSource,
  root: Descriptor,
  platforms: readonly string[],
  signal: AbortSignal | undefined,
): Promise<StoredManifest> {
  const stored = await source.readManifest(root.digest, signal);
  const manifest = parseManifest({ bytes: stored.bytes, contentType: stored.descriptor.mediaType });
  if (manifest.kind !== 'index') return stored;
  const kept = selectChildren(manifest.children, platforms);
  if (kept.length === manifest.children.length) return stored;
  const bytes = rewriteIndex(stored.bytes, kept);
  const algorithm = digestAlgorithm(root.digest);
  const digest = parseDigest(`${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`);
  return { bytes, descriptor: { mediaType: manifest.mediaType, digest, size: bytes.byteLength } };
}
