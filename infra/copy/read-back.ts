import type { Descriptor } from '../../domain/image/descriptor.ts';
import type { ContentTarget } from './content.ts';
import type { GraphNode, ImageGraph } from './image-graph.ts';
import { inParallel, pause } from './in-parallel.ts';
import { isCollected, type ProvenParts } from './proven-parts.ts';

/** What a store turned out not to have. */
export interface LostParts {
  readonly blobs: readonly Descriptor[];
  readonly manifests: readonly GraphNode[];
}

/** Milliseconds between looks at a part that is not there yet: registries may show what was written a little later. */
const looks = [200, 800] as const;

/** Reads the last byte of every blob and asks for every manifest. Looks again at parts that are missing at first sight. */
export async function readBack(
  target: ContentTarget,
  graph: ImageGraph,
  proven: ProvenParts,
  signal?: AbortSignal,
): Promise<LostParts> {
  const isSettling = isCollected(target);
  const blobs: Descriptor[] = [];
  const manifests: GraphNode[] = [];
  await inParallel(graph.blobs, async (blob) => {
    const look = (): Promise<boolean> => seen(() => target.proveBlob(blob, signal), isSettling, signal);
    if (!(await proven.prove(target, blob.digest, look))) blobs.push(blob);
  });
  await inParallel(graph.manifests, async (node) => {
    const { digest } = node.stored.descriptor;
    if (!(await seen(async () => (await target.resolve(digest, signal)) !== undefined, isSettling, signal)))
      manifests.push(node);
  });
  return { blobs, manifests };
}

async function seen(
  look: () => Promise<boolean>,
  isSettling: boolean,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  let [good, needed] = [0, isSettling ? 2 : 1];
  for (let misses = 0; ;) {
    if (await look()) {
      good += 1;
      if (good >= needed) return true;
    } else {
      const wait = looks[misses];
      if (wait === undefined) return false;
      misses += 1;
      // Several replicas answer in turn: once one was wrong, one that is right proves little (faults.md I07).
      [good, needed] = [0, 2];
      await pause(wait, signal);
    }
  }
}
