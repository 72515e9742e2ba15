import { defineQuery, isCancellation, proxyActivities, setHandler } from '@temporalio/workflow';
import type { BatchActivities } from '../activities/batch.ts';
import {
  batchProgress,
  waitingResult,
  type BatchInput,
  type BatchItem,
  type BatchProgress,
  type BatchResult,
} from '../domain/batch/operation.ts';
import { failureCatalogue } from '../domain/failure-catalogue.ts';
import { factsOfError } from './failure.ts';

/** Items worked on at once. */
const window = 20;

/** How far the batch has come. */
export const progressQuery = defineQuery<BatchProgress>('progress');

const { runBatchItem } = proxyActivities<BatchActivities>({
  startToCloseTimeout: '30 seconds',
  scheduleToCloseTimeout: '10 minutes',
  retry: { initialInterval: '1 second', maximumAttempts: 10 },
});

/** Many operations, one progress: each item on its own, so that one that fails stops no other. */
export async function batch(input: BatchInput): Promise<BatchProgress> {
  const results: BatchResult[] = input.items.map(waitingResult);
  setHandler(progressQuery, () => batchProgress(input, results));
  const waiting = input.items.entries();
  const lane = async (): Promise<void> => {
    for (const [place, item] of waiting) results[place] = await attempt(item, input.requestedBy);
  };
  await Promise.all(Array.from({ length: window }, lane));
  return batchProgress(input, results);
}

async function attempt(item: BatchItem, requestedBy: string): Promise<BatchResult> {
  const { result: _, ...known } = waitingResult(item);
  try {
    await runBatchItem(item, requestedBy);
    return { ...known, result: 'Done' };
  } catch (error) {
    if (isCancellation(error)) throw error;
    const { code: reason } = factsOfError(error);
    return { ...known, result: 'Failed', reason, message: failureCatalogue[reason].en };
  }
}
