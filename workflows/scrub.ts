import { continueAsNew, isCancellation, proxyActivities } from '@temporalio/workflow';
import type { ObjectRef } from '../domain/resources/meta.ts';
import type { ScrubActivities } from '../activities/scrub.ts';
import { thenSync } from './then-sync.ts';

/** Repositories looked at together: the rate of a scrub is bounded by this. */
const lanes = 2;

const { listScrubbed, scrubRepository } = proxyActivities<ScrubActivities>({
  startToCloseTimeout: '1h',
  heartbeatTimeout: '30s',
  retry: { initialInterval: '5s', maximumInterval: '1m', maximumAttempts: 4 },
});

/**
 * Checks what is placed at the sites, and heals what is damaged by a repair sync. One page of
 * Repositories a run.
 */
export async function scrub(after?: string): Promise<void> {
  const page = await listScrubbed(after);
  const waiting = page.refs.values();
  const lane = async (): Promise<void> => {
    for (const ref of waiting) await scrubOne(ref);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  if (page.next !== undefined) await continueAsNew<typeof scrub>(page.next);
}

/** One Repository that cannot be checked does not end the scrub of the others. */
async function scrubOne(ref: ObjectRef): Promise<void> {
  try {
    if ((await scrubRepository(ref)) === 0) return;
    await thenSync(ref, 'repair');
    await scrubRepository(ref);
  } catch (error) {
    if (isCancellation(error)) throw error;
  }
}
