import { asFailure, Failure } from '../../domain/failure.ts';
import type { TagName } from '../../domain/names/tag.ts';
import type { ContentTarget } from './content.ts';
import type { CopyHooks } from './engine.ts';
import type { Digest } from '../../domain/names/digest.ts';
import type { GraphNode } from './image-graph.ts';
import { pause } from './in-parallel.ts';
import { isCollected } from './proven-parts.ts';
import { RetryPlan } from './retry-plan.ts';

const maxTagWaitMs = 30_000;
/** Milliseconds after which a third digest under the tag is no passing confusion of the registry any more. */
const conflictMs = 3000;

/** The digest that a tag stood for, or that there was no such tag. */
export type TagBefore = Digest | 'absent';

export interface TagWriteOptions extends Pick<CopyHooks, 'fence' | 'signal'> {
  /** Default: not known, and nothing that is seen later is held against anybody. */
  readonly tagBefore?: TagBefore;
}

/**
 * Asks the fence, writes the tag and reads it back. Throws what the fence throws, `TagImmutable` where the tag may not be
 * moved and is another digest, `ReadBackPending` where the registry keeps showing what was there before, `TagConflict` where
 * it shows what somebody else wrote meanwhile: registries have no compare-and-set, so this is seen only afterwards.
 */
export async function writeTag(
  target: ContentTarget,
  root: GraphNode,
  tag: TagName,
  options: TagWriteOptions,
): Promise<void> {
  const { digest } = root.stored.descriptor;
  for (const retry = new RetryPlan(options.signal); !(await pushTag(target, root, tag, options, retry)););
  await readTagBack(target, digest, tag, options);
}

/** One try. False where it is worth another: the fence is asked again then, as somebody newer may have come meanwhile. */
async function pushTag(
  target: ContentTarget,
  root: GraphNode,
  tag: TagName,
  { fence, signal }: TagWriteOptions,
  retry: RetryPlan,
): Promise<boolean> {
  await fence?.();
  try {
    await target.pushManifest(root.stored, tag, signal, { once: true });
    return true;
  } catch (error) {
    const failure = asFailure(error);
    if (failure.code === 'DestinationGC') throw failure;
    if (failure.code !== 'TagImmutable') {
      await retry.next(failure);
      return false;
    }
    const there = await target.resolve(tag, signal);
    if (there?.digest !== root.stored.descriptor.digest) throw failure;
    return true;
  }
}

async function readTagBack(
  target: ContentTarget,
  digest: Digest,
  tag: TagName,
  { tagBefore, signal }: TagWriteOptions,
): Promise<void> {
  const subject = `${target.label}:${tag}`;
  const started = performance.now();
  let foreignSince = Number.POSITIVE_INFINITY;
  let [good, needed] = [0, isCollected(target) ? 2 : 1];
  for (let wait = 100; ; wait = Math.min(wait * 2, 3000)) {
    const seen = (await target.resolve(tag, signal))?.digest;
    const now = performance.now();
    if (seen === digest) {
      good += 1;
      if (good >= needed) return;
      continue;
    }
    // Several replicas answer in turn: once one was wrong, one that is right proves little (faults.md I07).
    [good, needed] = [0, 2];
    foreignSince = isForeign(seen, tagBefore) ? Math.min(foreignSince, now) : Number.POSITIVE_INFINITY;
    if (now - foreignSince >= conflictMs)
      throw new Failure('TagConflict', { side: 'destination', subject, detail: `now ${seen}` });
    if (now - started > maxTagWaitMs) throw new Failure('ReadBackPending', { side: 'destination', subject });
    await pause(wait, signal);
  }
}

/** True where the tag shows neither nothing nor what it stood for before, so far as that is known. */
function isForeign(seen: Digest | undefined, tagBefore: TagBefore | undefined): boolean {
  return tagBefore !== undefined && seen !== undefined && seen !== tagBefore;
}
