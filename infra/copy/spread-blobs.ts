import { asFailure, Failure } from '../../domain/failure.ts';
import type { Descriptor } from '../../domain/image/descriptor.ts';
import type { BandwidthLimiter } from './bandwidth.ts';
import { accessOf, type BlobSource, type ContentSource, type ContentTarget } from './content.ts';
import type { CopyContext, GraphCopy } from './copy-graph.ts';
import { FanOut, type FanMember } from './fan-out.ts';
import { moveBlob } from './move-blob.ts';
import { SiblingSource, type BlobHolders } from './sibling-source.ts';

/** A target of a copy to several, and its own copy, which comes after what all share. */
export interface SpreadTarget {
  readonly target: ContentTarget & Partial<BlobSource>;
  readonly copy: GraphCopy;
  readonly signal?: AbortSignal;
  readonly limiter?: BandwidthLimiter;
}

/** What all blobs of one spread share. */
export interface SpreadOrder {
  readonly source: ContentSource;
  readonly context: CopyContext;
  readonly holders: BlobHolders;
  /** Stops all. Default: none. */
  readonly signal?: AbortSignal;
}

/**
 * Brings a blob to every target that lacks it, from one read upstream. Throws nothing but `Cancelled`, and that only where
 * all was: a target that did not get it here gets it with its own copy, which tells why where it fails as well.
 */
export async function spreadBlob(
  order: SpreadOrder,
  targets: readonly SpreadTarget[],
  blob: Descriptor,
): Promise<void> {
  const lacking = await whoLack(targets, blob);
  if (lacking.length < 2) return;
  const key = `spread ${lacking.map(({ target }) => target.key).join(' ')} ${blob.digest}`;
  const { signal } = order;
  try {
    await order.context.flights.run(key, () => spread(order, lacking, blob), {
      circle: accessOf(order.source),
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (error) {
    // Anything else its own copy will find out.
    if (signal?.aborted === true) throw new Failure('Cancelled', { cause: error });
  }
}

/** Those without a limit first, as fast as they can; the others then read from one of these. */
async function spread(order: SpreadOrder, lacking: readonly SpreadTarget[], blob: Descriptor): Promise<void> {
  const byRate = Map.groupBy(lacking, ({ limiter }) => limiter?.rate ?? Number.POSITIVE_INFINITY);
  const fastestFirst = [...byRate].toSorted(([one], [other]) => other - one);
  for (const [, members] of fastestFirst) {
    try {
      await sendTo(order, members, blob);
    } catch (error) {
      // Those of one speed are all unwell: that is nothing to the others.
      if (asFailure(error).side !== 'destination') throw error;
    }
  }
}

async function sendTo(
  { source, context, holders, signal }: SpreadOrder,
  members: readonly SpreadTarget[],
  blob: Descriptor,
): Promise<void> {
  const [first] = members;
  await context.limit(
    () =>
      moveBlob(
        new SiblingSource(source, holders),
        new FanOut(members.map((each) => memberOf(each, holders, blob))),
        blob,
        {
          ...(signal === undefined ? {} : { signal }),
          // Read once, counted once.
          onBytes: (read) => first?.copy.shared(blob, read, 0),
        },
      ),
    members.map(({ target }) => target),
    blob.size,
  );
}

function memberOf(spreadTo: SpreadTarget, holders: BlobHolders, blob: Descriptor): FanMember {
  const { target, copy, signal, limiter } = spreadTo;
  const { readBlob } = target;
  return {
    target,
    ...(signal === undefined ? {} : { signal }),
    ...(limiter === undefined ? {} : { limiter }),
    onSent: (bytes) => copy.shared(blob, 0, bytes),
    onStored() {
      copy.brought(blob);
      if (readBlob !== undefined) holders.add(blob.digest, { readBlob: readBlob.bind(target) });
    },
  };
}

async function whoLack(targets: readonly SpreadTarget[], blob: Descriptor): Promise<readonly SpreadTarget[]> {
  const found = await Promise.all(
    targets.map(async (each) => {
      try {
        if (!(await each.copy.has(blob))) return each;
        each.copy.brought(blob);
      } catch {
        // Its own copy will find out why; here it only must not hold up the others.
      }
      return undefined;
    }),
  );
  return found.filter((each) => each !== undefined);
}
