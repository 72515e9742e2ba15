import { isCancellation, proxyActivities } from '@temporalio/workflow';
import type { ObjectRef } from '../domain/resources/meta.ts';
import type { ParkingActivities } from '../activities/cleanup.ts';

const { pruneVanished } = proxyActivities<ParkingActivities>({
  startToCloseTimeout: '1h',
  heartbeatTimeout: '30s',
  retry: { initialInterval: '2s', maximumInterval: '1m', maximumAttempts: 5 },
});

/** Takes tags that vanished upstream from the sites. What holds it back is told by an Event, and is no failed sync. */
export async function prune(ref: ObjectRef): Promise<void> {
  try {
    await pruneVanished(ref);
  } catch (error) {
    if (isCancellation(error)) throw error;
  }
}
