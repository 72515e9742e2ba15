import { Failure } from '../../domain/failure.ts';
import type { TagName } from '../../domain/names/tag.ts';
import type { ContentTarget } from './content.ts';
import type { CopyHooks } from './engine.ts';
import type { GraphNode } from './image-graph.ts';
import { pause } from './in-parallel.ts';

const maxTagWaitMs = 30_000;

/**
 * Asks the fence, writes the tag and reads it back. Throws what the fence throws, `TagImmutable` where the tag may not be
 * moved and is another digest, `ReadBackPending` where the registry keeps showing something else.
 */
export async function writeTag(
  target: ContentTarget,
  root: GraphNode,
  tag: TagName,
  hooks: Pick<CopyHooks, 'fence' | 'signal'>,
): Promise<void> {
  const { digest } = root.stored.descriptor;
  await hooks.fence?.();
  try {
    await target.pushManifest(root.stored, tag, hooks.signal);
  } catch (error) {
    const immutable = error instanceof Failure && error.code === 'TagImmutable';
    const there = immutable ? await target.resolve(tag, hooks.signal) : undefined;
    if (there?.digest !== digest) throw error;
  }
  // A registry may show the old tag for a while.
  const end = performance.now() + maxTagWaitMs;
  for (let wait = 100; ; wait = Math.min(wait * 2, 3000)) {
    if ((await target.resolve(tag, hooks.signal))?.digest === digest) return;
    if (performance.now() > end) {
      throw new Failure('ReadBackPending', { side: 'destination', subject: `${target.label}:${tag}` });
    }
    await pause(wait, hooks.signal);
  }
}
