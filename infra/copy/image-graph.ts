import { Failure } from '../../domain/failure.ts';
import type { Descriptor } from '../../domain/image/descriptor.ts';
import { isForeign, parseManifest, type Manifest } from '../../domain/image/manifest.ts';
import { createHash } from 'node:crypto';
import { digestAlgorithm, digestHex, type Digest } from '../../domain/names/digest.ts';
import type { ManifestSource, StoredManifest } from './content.ts';

/** A manifest with its bytes and what it says. */
export interface GraphNode {
  readonly stored: StoredManifest;
  readonly manifest: Manifest;
}

/** An image's whole graph, as it is to be written. */
export interface ImageGraph {
  readonly root: Descriptor;
  /** The root last; every digest once. */
  readonly manifests: readonly GraphNode[];
  /** Every blob once. */
  readonly blobs: readonly Descriptor[];
}

export interface GraphLimits {
  /** Indexes inside one another. Default: 8. */
  readonly maxDepth?: number;
  /** Manifests in all. Default: 2000. */
  readonly maxManifests?: number;
}

/** Bytes of all manifests of a graph together: they are held in memory, parsed, while it is copied. */
const maxGraphBytes = 64 * 1024 * 1024;

/** Which children of an index are followed. Default: all. */
export type ChildFilter = (child: Descriptor, siblings: readonly Descriptor[]) => boolean;

/**
 * Reads all manifests of an image, strictly and within bounds. Throws what `parseManifest` throws, `SourceIncomplete` for
 * a child that is missing, `ForeignLayerRefused` for a layer that lives elsewhere.
 */
export async function loadGraph(
  source: ManifestSource,
  root: Descriptor,
  options: { readonly signal?: AbortSignal; readonly follow?: ChildFilter } & GraphLimits = {},
): Promise<ImageGraph> {
  const walk = new GraphWalk(source, options);
  await walk.visit(root, 0);
  return { root, manifests: walk.manifests, blobs: uniqueBlobs(walk.manifests) };
}

/** The manifests by their height: those without children first, the root last. */
export function levels(graph: ImageGraph): readonly (readonly GraphNode[])[] {
  const nodes = new Map(graph.manifests.map((node) => [node.stored.descriptor.digest, node]));
  const heights = new Map<Digest, number>();
  const heightOf = (digest: Digest): number => {
    const known = heights.get(digest);
    if (known !== undefined) return known;
    const children = nodes.get(digest)?.manifest.children.filter((child) => nodes.has(child.digest)) ?? [];
    const height = children.reduce((highest, child) => Math.max(highest, heightOf(child.digest) + 1), 0);
    heights.set(digest, height);
    return height;
  };
  const byHeight = Map.groupBy(graph.manifests, (node) => heightOf(node.stored.descriptor.digest));
  return [...byHeight].toSorted(([one], [other]) => one - other).map(([, level]) => level);
}

class GraphWalk {
  readonly manifests: GraphNode[] = [];
  readonly #seen = new Set<Digest>();
  #bytes = 0;
  readonly #source: ManifestSource;
  readonly #options: { readonly signal?: AbortSignal; readonly follow?: ChildFilter } & GraphLimits;

  constructor(
    source: ManifestSource,
    options: { readonly signal?: AbortSignal; readonly follow?: ChildFilter } & GraphLimits,
  ) {
    this.#source = source;
    this.#options = options;
  }

  async visit(descriptor: Descriptor, depth: number): Promise<void> {
    if (this.#seen.has(descriptor.digest)) return;
    if (depth > (this.#options.maxDepth ?? 8)) throw invalid(descriptor, 'indexes are nested too deep');
    this.#seen.add(descriptor.digest);
    if (this.#seen.size > (this.#options.maxManifests ?? 2000))
      throw invalid(descriptor, 'too many manifests');
    const node = await this.#read(descriptor, depth);
    const follow = this.#options.follow ?? (() => true);
    const children = node.manifest.children.filter((child) => follow(child, node.manifest.children));
    for (let at = 0; at < children.length; at += 8) {
      await Promise.all(children.slice(at, at + 8).map((child) => this.visit(child, depth + 1)));
    }
    this.manifests.push(node);
  }

  async #read(descriptor: Descriptor, depth: number): Promise<GraphNode> {
    const stored = await this.#stored(descriptor, depth);
    this.#bytes += stored.bytes.byteLength;
    if (this.#bytes > maxGraphBytes)
      throw new Failure('ManifestTooLarge', {
        side: 'source',
        subject: descriptor.digest,
        detail: `more than ${maxGraphBytes} bytes of manifests`,
      });
    if (depth > 0 && stored.bytes.byteLength !== descriptor.size) {
      throw new Failure('SizeMismatch', { side: 'source', subject: descriptor.digest });
    }
    const manifest = parseManifest({
      bytes: stored.bytes,
      contentType: stored.descriptor.mediaType,
      subject: descriptor.digest,
    });
    if (depth > 0 && manifest.mediaType !== descriptor.mediaType) {
      throw new Failure('MediaTypeMismatch', { side: 'source', subject: descriptor.digest });
    }
    const foreign = manifest.blobs.find(isForeign);
    if (foreign !== undefined)
      throw new Failure('ForeignLayerRefused', { side: 'source', subject: foreign.digest });
    for (const blob of manifest.blobs) checkData(blob);
    // What the body says it is decides under which type it is written.
    return {
      stored: { ...stored, descriptor: { ...stored.descriptor, mediaType: manifest.mediaType } },
      manifest,
    };
  }

  async #stored(descriptor: Descriptor, depth: number): Promise<StoredManifest> {
    try {
      return await this.#source.readManifest(descriptor.digest, this.#options.signal);
    } catch (error) {
      const missing = error instanceof Failure && error.code === 'ManifestNotFound' && depth > 0;
      throw missing ? new Failure('SourceIncomplete', { side: 'source', subject: descriptor.digest }) : error;
    }
  }
}

/** A descriptor may carry its content along; then it has to be that content. */
function checkData(blob: Descriptor): void {
  if (blob.data === undefined) return;
  const actual = createHash(digestAlgorithm(blob.digest)).update(blob.data).digest('hex');
  if (actual !== digestHex(blob.digest)) {
    throw new Failure('DigestMismatch', { side: 'source', subject: blob.digest, detail: 'embedded data' });
  }
}

function uniqueBlobs(nodes: readonly GraphNode[]): readonly Descriptor[] {
  const blobs = new Map<Digest, Descriptor>();
  for (const blob of nodes.flatMap((node) => node.manifest.blobs)) {
    const known = blobs.get(blob.digest);
    if (known === undefined) blobs.set(blob.digest, blob);
    else if (known.size !== blob.size) throw invalid(blob, 'two sizes for one blob');
  }
  return [...blobs.values()];
}

function invalid(descriptor: Descriptor, detail: string): Failure {
  return new Failure('InvalidManifest', { side: 'source', subject: descriptor.digest, detail });
}
