import {
  CancellationScope,
  continueAsNew,
  defineSignal,
  isCancellation,
  proxyActivities,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { BundleActivities, BundleCopyActivities } from '../activities/bundle.ts';
import type { PlannedBundle } from '../activities/bundle-plan.ts';
import { stageAgainSignal, type StageOrder } from '../domain/bundle/stage-plan.ts';
import { copyTaskQueue } from '../domain/sync/ids.ts';
import { factsOfError, workflowFailure } from './failure.ts';

/** Images on their way into the pool at once. */
const imagesAtOnce = 8;

const retry = { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1m', maximumAttempts: 20 };
const hub = proxyActivities<BundleActivities>({
  startToCloseTimeout: '2h',
  heartbeatTimeout: '20s',
  retry,
});
const copying = proxyActivities<BundleCopyActivities>({
  taskQueue: copyTaskQueue,
  startToCloseTimeout: '24h',
  heartbeatTimeout: '20s',
  retry,
});

/** How a staging ended. */
export interface StageReport {
  readonly site: string;
  /** The bundle's number; the last one's, and no images, where there was nothing new to stage. */
  readonly sequence: number;
  readonly images: number;
  /** Bytes that came from upstream. */
  readonly bytesMoved: number;
  /** Bytes of the bundle. */
  readonly bytesCarried: number;
}

/**
 * Stages a bundle for a site without a network: plan against what the site acknowledged, bring every image into the
 * pool, prove that all is there, sign, publish. Until the last step nothing of it can be seen.
 */
export async function stageBundle(first: StageOrder): Promise<StageReport> {
  const asked = hearAskedAgain(first);
  const order = asked.begin();
  try {
    const report = await stageOne(order);
    if (asked.next() === undefined) return report;
  } catch (error) {
    if (isCancellation(error) || asked.next() === undefined) throw error;
  }
  return continueAsNew<typeof stageBundle>(asked.next() ?? order);
}

async function stageOne(order: StageOrder): Promise<StageReport> {
  const bundle = await hub.planBundle(order, workflowInfo().runId);
  const { site, sequence } = bundle;
  if (bundle.upToDate === true) return { site, sequence, images: 0, bytesMoved: 0, bytesCarried: 0 };
  try {
    if (bundle.limited === true) await copying.measureBundle(bundle);
    const bytesMoved = await stageImages(bundle);
    const { bytes, images } = await hub.publishBundle(bundle);
    return { site, sequence, images, bytesMoved, bytesCarried: bytes.carried };
  } catch (error) {
    const failure = factsOfError(error);
    await CancellationScope.nonCancellable(() => hub.failBundle(bundle, failure));
    if (failure.code === 'Cancelled') throw error;
    throw workflowFailure(failure);
  }
}

interface AskedAgain {
  /** What to stage: the last that a person asked for while the start was waited for, else what this was started with. */
  begin(): StageOrder;
  /** What a person asked for meanwhile and this run did not do. */
  next(): StageOrder | undefined;
}

/** A request of the same kind as the one under way is answered by it. */
function hearAskedAgain(first: StageOrder): AskedAgain {
  let [order, waiting]: [StageOrder, StageOrder | undefined] = [first, undefined];
  let begun = false;
  setHandler(defineSignal<[StageOrder]>(stageAgainSignal), (asked) => {
    const isAnswered = begun && order.kind === asked.kind && (order.trigger ?? 'demand') === 'demand';
    if (!isAnswered) waiting = asked;
  });
  return {
    begin: () => {
      [order, waiting, begun] = [waiting ?? first, undefined, true];
      return order;
    },
    next: () => waiting,
  };
}

/** Takes away what no site needs any more; runs on a schedule. */
export async function collectBundles(): Promise<void> {
  await hub.collectBundles();
}

/** Takes what sites put into the bucket's inbox; runs on a schedule. */
export async function takeSiteMail(): Promise<void> {
  await hub.takeSiteMail();
}

async function stageImages(bundle: PlannedBundle): Promise<number> {
  const { images } = bundle;
  let [next, done, bytesMoved] = [0, 0, 0];
  const lane = async (): Promise<void> => {
    while (next < images) {
      const index = next;
      next += 1;
      const moved = await copying.stageImage({ bundle, index });
      // Read only now: other lanes have added to them meanwhile.
      bytesMoved += moved;
      done += 1;
      if (isTenth(done, images)) await hub.reportStaging(bundle, done);
    }
  };
  await Promise.all(Array.from({ length: Math.min(imagesAtOnce, images) }, lane));
  return bytesMoved;
}

/** True about ten times on the way: the status is for people. */
const isTenth = (done: number, of: number): boolean =>
  done < of && Math.floor((done * 10) / of) > Math.floor(((done - 1) * 10) / of);
