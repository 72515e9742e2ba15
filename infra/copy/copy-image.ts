import { asFailure, Failure } from '../../domain/failure.ts';
import type { Descriptor } from '../../domain/image/descriptor.ts';
import type { Digest } from '../../domain/names/digest.ts';
import type { PlatformSelection } from '../../domain/resources/repository.ts';
import { copyAttachments, findAttachments } from './attachments.ts';
import type { ContentSource, ContentTarget } from './content.ts';
import { GraphCopy, type CopyContext, type GraphCopyOptions } from './copy-graph.ts';
import type { CopyReport } from './engine.ts';
import { FanOut } from './fan-out.ts';
import type { ImageGraph } from './image-graph.ts';
import { moveBlob } from './move-blob.ts';
import { loadSelected } from './select-platforms.ts';

/** One copy of one image. */
export interface ImageCopyOptions extends GraphCopyOptions {
  readonly platforms?: PlatformSelection;
  /** Whether signatures and other attachments travel along. Default: true. */
  readonly referrers?: boolean;
  /** Whether a target whose tag is right already is checked and repaired all the same. Default: false. */
  readonly recheck?: boolean;
  /** Targets whose tags were listed a moment ago and did not have this one: they need not be asked. Default: none. */
  readonly absentAt?: ReadonlySet<ContentTarget>;
}

/** What became of one target. */
export type TargetOutcome =
  | { readonly target: ContentTarget; readonly report: CopyReport }
  | { readonly target: ContentTarget; readonly failure: Failure };

/** Copies an image to one target. */
export async function copyImage(
  source: ContentSource,
  target: ContentTarget,
  root: Descriptor,
  context: CopyContext,
  options: ImageCopyOptions,
): Promise<CopyReport> {
  const state = await stateOf(target, root, options);
  if (state === 'there') return unchanged(root.digest);
  const graph = await loadSelected(
    context.manifests.before(source, source.key),
    root,
    options.platforms,
    options.signal,
  );
  return copyLoaded(source, target, graph, context, options, state);
}

/**
 * Copies an image to several targets with one read of each blob. Targets do not wait for one another's failures: each has
 * its own outcome.
 */
export async function copyImageToMany(
  source: ContentSource,
  targets: readonly ContentTarget[],
  root: Descriptor,
  context: CopyContext,
  options: ImageCopyOptions,
): Promise<readonly TargetOutcome[]> {
  const states = new Map(
    await Promise.all(targets.map(async (target) => [target, await stateOf(target, root, options)] as const)),
  );
  const needy = targets.filter((target) => states.get(target) !== 'there');
  const graph =
    needy.length === 0
      ? undefined
      : await loadSelected(
          context.manifests.before(source, source.key),
          root,
          options.platforms,
          options.signal,
        );
  if (graph !== undefined && needy.length > 1) await fanOut(source, needy, graph, context, options);
  return Promise.all(
    targets.map(async (target): Promise<TargetOutcome> => {
      if (graph === undefined || !needy.includes(target)) return { target, report: unchanged(root.digest) };
      try {
        const state = states.get(target) ?? 'unknown';
        return { target, report: await copyLoaded(source, target, graph, context, options, state) };
      } catch (error) {
        return { target, failure: asFailure(error) };
      }
    }),
  );
}

async function copyLoaded(
  source: ContentSource,
  target: ContentTarget,
  graph: ImageGraph,
  context: CopyContext,
  options: ImageCopyOptions,
  state: TargetState,
): Promise<CopyReport> {
  if (typeof state === 'object') await context.guesses?.learnFrom(target, state, options.signal);
  const found = options.referrers === false ? [] : await findAttachments(source, graph, options);
  const attached = { copied: 0, missing: 0 };
  const copy = new GraphCopy(source, target, graph, context, {
    ...options,
    sparse: options.platforms?.mode === 'sparse',
    ...(found.length === 0
      ? {}
      : {
          beforeTag: async () => {
            Object.assign(attached, await copyAttachments(source, target, found, context, options));
          },
        }),
  });
  const report = await copy.run();
  return { ...report, referrers: attached.copied, referrersMissing: attached.missing };
}

/** Brings every blob that a target lacks to all that lack it, from one read. Failures are left to each target's own copy. */
async function fanOut(
  source: ContentSource,
  targets: readonly ContentTarget[],
  graph: ImageGraph,
  context: CopyContext,
  options: ImageCopyOptions,
): Promise<void> {
  const { signal, limiter } = options;
  await Promise.all(
    graph.blobs.map((blob) =>
      context.limit(async () => {
        const lacking = await Promise.all(
          targets.map(async (target) => ((await hasBlob(target, blob, signal)) ? undefined : target)),
        );
        const members = lacking.filter((target) => target !== undefined);
        if (members.length < 2) return;
        const fan = new FanOut(members);
        const carry = {
          ...(signal === undefined ? {} : { signal }),
          ...(limiter === undefined ? {} : { limiter }),
        };
        await moveBlob(source, fan, blob, carry).catch((error: unknown) => {
          if (signal?.aborted === true) throw new Failure('Cancelled', { cause: error });
        });
      }),
    ),
  );
}

async function hasBlob(
  target: ContentTarget,
  blob: Descriptor,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  try {
    return await target.hasBlob(blob, signal);
  } catch {
    // Its own copy will find out why; here it only must not hold up the others.
    return true;
  }
}

/** What a target's tag stands for: the image, another one, or nothing that is known. */
type TargetState = 'there' | 'unknown' | Descriptor;

async function stateOf(
  target: ContentTarget,
  root: Descriptor,
  options: ImageCopyOptions,
): Promise<TargetState> {
  if (options.tag === undefined || options.recheck === true || options.absentAt?.has(target) === true)
    return 'unknown';
  try {
    const found = await target.resolve(options.tag, options.signal);
    return found?.digest === root.digest ? 'there' : (found ?? 'unknown');
  } catch (error) {
    if (options.signal?.aborted === true) throw error;
    return 'unknown';
  }
}

function unchanged(root: Digest): CopyReport {
  return {
    root,
    bytesRead: 0,
    bytesMoved: 0,
    bytesReused: 0,
    blobsMoved: 0,
    blobsReused: 0,
    manifestsPushed: 0,
    referrers: 0,
    referrersMissing: 0,
  };
}
