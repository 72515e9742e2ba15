import type { Descriptor } from '../../domain/image/descriptor.ts';
import type { ContentTarget } from './content.ts';
import type { GraphNode, ImageGraph } from './image-graph.ts';
import { inParallel, pause } from './in-parallel.ts';
import type { ProvenParts } from './proven-parts.ts';

/** What a store turned out not to have. */
export interface LostParts {
  readonly blobs: readonly Descriptor[];
  readonly manifests: readonly GraphNode[];
}

/** Milliseconds between looks at a part that is not there yet: registries may show what was written a little later. */
const looks = [0, 200, 800] as const;

/** Reads the last byte of every blob and asks for every manifest. Looks again at parts that are missing at first sight. */
export async function readBack(
  target: ContentTarget,
  graph: ImageGraph,
  proven: ProvenParts,
  signal?: AbortSignal,
): Promise<LostParts> {
  const blobs: Descriptor[] = [];
  const manifests: GraphNode[] = [];
  await inParallel(graph.blobs, async (blob) => {
    if (proven.has(target, blob.digest)) return;
    if (await seen(() => target.proveBlob(blob, signal), signal)) proven.add(target, blob.digest);
    else blobs.push(blob);
  });
  await inParallel(graph.manifests, async (node) => {
    const { digest } = node.stored.descriptor;
    if (!(await seen(async () => (await target.resolve(digest, signal)) !== undefined, signal)))
      manifests.push(node);
  });
  return { blobs, manifests };
}

async function seen(look: () => Promise<boolean>, signal: AbortSignal | undefined): Promise<boolean> {
  for (const wait of looks) {
    if (wait > 0) await pause(wait, signal);
    if (await look()) return true;
  }
  return false;
}
