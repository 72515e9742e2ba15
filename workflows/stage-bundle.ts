import { CancellationScope, proxyActivities } from '@temporalio/workflow';
import type { BundleActivities, BundleCopyActivities } from '../activities/bundle.ts';
import type { PlannedBundle } from '../activities/bundle-plan.ts';
import type { StageOrder } from '../domain/bundle/stage-plan.ts';
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
export async function stageBundle(order: StageOrder): Promise<StageReport> {
  const bundle = await hub.planBundle(order);
  try {
    const bytesMoved = await stageImages(bundle);
    const { bytes, images } = await hub.publishBundle(bundle);
    const { site, sequence } = bundle;
    return { site, sequence, images, bytesMoved, bytesCarried: bytes.carried };
  } catch (error) {
    const failure = factsOfError(error);
    await CancellationScope.nonCancellable(() => hub.failBundle(bundle, failure));
    if (failure.code === 'Cancelled') throw error;
    throw workflowFailure(failure);
  }
}

/** Takes away what no site needs any more; runs on a schedule. */
export async function collectBundles(): ReturnType<BundleActivities['collectBundles']> {
  return hub.collectBundles();
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
