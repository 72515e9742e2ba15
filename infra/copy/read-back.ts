import { setTimeout as sleep } from 'node:timers/promises';
import type { Descriptor } from '../../domain/image/descriptor.ts';
import type { BlobProof, ManifestSource } from './content.ts';
import type { GraphNode, ImageGraph } from './image-graph.ts';

/** What a store turned out not to have. */
export interface LostParts {
  readonly blobs: readonly Descriptor[];
  readonly manifests: readonly GraphNode[];
}

type Each = <T>(items: readonly T[], task: (item: T) => Promise<void>) => Promise<void>;

/** Milliseconds between looks at a part that is not there yet: registries may show what was written a little later. */
const looks = [0, 200, 800] as const;

/** Reads the last byte of every blob and asks for every manifest. Repeats for parts that are missing at first sight. */
export async function readBack(
  target: BlobProof & ManifestSource,
  graph: ImageGraph,
  each: Each,
  signal?: AbortSignal,
): Promise<LostParts> {
  const blobs: Descriptor[] = [];
  const manifests: GraphNode[] = [];
  await each(graph.blobs, async (blob) => {
    if (!(await seen(() => target.proveBlob(blob, signal)))) blobs.push(blob);
  });
  await each(graph.manifests, async (node) => {
    const { digest } = node.stored.descriptor;
    if (!(await seen(async () => (await target.resolve(digest, signal)) !== undefined))) manifests.push(node);
  });
  return { blobs, manifests };
}

async function seen(look: () => Promise<boolean>): Promise<boolean> {
  for (const wait of looks) {
    if (wait > 0) await sleep(wait);
    if (await look()) return true;
  }
  return false;
}
