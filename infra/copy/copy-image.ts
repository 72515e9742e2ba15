import { asFailure, type Failure } from '../../domain/failure.ts';
import type { Descriptor } from '../../domain/image/descriptor.ts';
import type { Digest } from '../../domain/names/digest.ts';
import type { PlatformSelection } from '../../domain/resources/repository.ts';
import { attachedBlobs, copyAttachments, findAttachments, type Found } from './attachments.ts';
import type { BandwidthLimiter } from './bandwidth.ts';
import { accessOf, type BlobSource, type ContentSource, type ContentTarget } from './content.ts';
import { GraphCopy, type CopyContext, type GraphCopyOptions } from './copy-graph.ts';
import type { CopyReport } from './engine.ts';
import type { ImageGraph } from './image-graph.ts';
import { inParallel } from './in-parallel.ts';
import { loadSelected } from './select-platforms.ts';
import { SharedProgress } from './shared-progress.ts';
import { BlobHolders, SiblingSource } from './sibling-source.ts';
import { spreadBlob } from './spread-blobs.ts';

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
  | { readonly target: ContentTarget; readonly failure: Failure; readonly bytesMoved: number };

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
  const manifests = context.manifests.before(source, accessOf(source));
  const [graph] = await Promise.all([
    loadSelected(manifests, root, options.platforms, options.signal),
    learn(target, state, context, options),
  ]);
  const found = await attachmentsOf(source, graph, options);
  return new LoadedCopy(source, target, { graph, found }, context, { ...options, ...before(state) }).run();
}

/** One of several targets; what is said here holds for it alone. */
export interface TargetOrder {
  readonly target: ContentTarget & Partial<BlobSource>;
  /** Stops the copy to this target. Default: that of all. */
  readonly signal?: AbortSignal;
  /** Default: that of all. */
  readonly limiter?: BandwidthLimiter;
}

/**
 * Copies an image to several targets with one read of each blob. Targets do not wait for one another's failures: each has
 * its own outcome, in the order of `targets`. Throws where the image cannot be read at all.
 */
export async function copyImageToMany(
  source: ContentSource,
  targets: readonly TargetOrder[],
  root: Descriptor,
  context: CopyContext,
  options: ImageCopyOptions,
): Promise<readonly TargetOutcome[]> {
  const progress = new SharedProgress(options.onProgress);
  const states = await Promise.all(
    targets.map((order) => stateOf(order.target, root, options, order.signal)),
  );
  if (states.every((state) => state === 'there'))
    return targets.map(({ target }) => ({ target, report: unchanged(root.digest) }));
  const manifests = context.manifests.before(source, accessOf(source));
  const [graph] = await Promise.all([
    loadSelected(manifests, root, options.platforms, options.signal),
    ...targets.map(({ target }, index) => learn(target, states[index], context, options)),
  ]);
  const found = await attachmentsOf(source, graph, options);
  const holders = new BlobHolders();
  const sibling = new SiblingSource(source, holders);
  const copies = targets.map((order, index) => {
    if (states[index] === 'there') return undefined;
    const own = { ...options, ...only(order), ...before(states[index]), onProgress: progress.part() };
    const loaded = new LoadedCopy(sibling, order.target, { graph, found }, context, own);
    return { ...order, loaded, copy: loaded.copy };
  });
  const needy = copies.filter((each) => each !== undefined);
  if (needy.length > 1) {
    const blobs = [...graph.blobs, ...(await attachedBlobs(manifests, found, options))];
    const order = {
      source,
      context,
      holders,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    };
    await inParallel(blobs, (blob) => spreadBlob(order, needy, blob));
  }
  return Promise.all(
    targets.map(async ({ target }, index): Promise<TargetOutcome> => {
      try {
        return { target, report: (await copies[index]?.loaded.run()) ?? unchanged(root.digest) };
      } catch (error) {
        return { target, failure: asFailure(error), bytesMoved: copies[index]?.copy.bytesMoved ?? 0 };
      }
    }),
  );
}

function only({ signal, limiter }: TargetOrder): Pick<TargetOrder, 'signal' | 'limiter'> {
  return { ...(signal === undefined ? {} : { signal }), ...(limiter === undefined ? {} : { limiter }) };
}

/** A graph and what is attached to it, ready to be copied to one target. */
class LoadedCopy {
  readonly copy: GraphCopy;
  readonly #attached = { copied: 0, missing: 0 };

  constructor(
    source: ContentSource,
    target: ContentTarget,
    image: { readonly graph: ImageGraph; readonly found: readonly Found[] },
    context: CopyContext,
    options: ImageCopyOptions,
  ) {
    const { graph, found } = image;
    const attach = async (): Promise<void> => {
      Object.assign(this.#attached, await copyAttachments(source, target, found, context, options));
    };
    this.copy = new GraphCopy(source, target, graph, context, {
      ...options,
      sparse: options.platforms?.mode === 'sparse',
      ...(found.length === 0 ? {} : { beforeTag: attach }),
    });
  }

  async run(): Promise<CopyReport> {
    const report = await this.copy.run();
    const { copied, missing } = this.#attached;
    return { ...report, referrers: copied, referrersMissing: missing };
  }
}

/** What a target's tag stands for: the image, another one, or nothing that is known. */
type TargetState = 'there' | 'absent' | 'unknown' | Descriptor;

/** `signal` stops this question alone: then its own copy will say so. */
async function stateOf(
  target: ContentTarget,
  root: Descriptor,
  options: ImageCopyOptions,
  signal = options.signal,
): Promise<TargetState> {
  if (options.absentAt?.has(target) === true) return 'absent';
  if (options.tag === undefined || options.recheck === true) return 'unknown';
  try {
    const found = await target.resolve(options.tag, signal);
    return found?.digest === root.digest ? 'there' : (found ?? 'absent');
  } catch (error) {
    if (options.signal?.aborted === true) throw error;
    return 'unknown';
  }
}

async function attachmentsOf(
  source: ContentSource,
  graph: ImageGraph,
  options: ImageCopyOptions,
): Promise<readonly Found[]> {
  return options.referrers === false ? [] : await findAttachments(source, graph, options);
}

function before(state: TargetState | undefined): Pick<GraphCopyOptions, 'tagBefore'> {
  if (state === 'absent') return { tagBefore: state };
  return typeof state === 'object' ? { tagBefore: state.digest } : {};
}

/** What the tag stood for so far tells which blobs the target most likely has. */
async function learn(
  target: ContentTarget,
  state: TargetState | undefined,
  context: CopyContext,
  options: ImageCopyOptions,
): Promise<void> {
  if (typeof state === 'object') await context.guesses?.learnFrom(target, state, options.signal);
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
