import { proxyActivities } from '@temporalio/workflow';
import type { PlanningActivities } from '../activities/cleanup.ts';

const activities = proxyActivities<PlanningActivities>({
  startToCloseTimeout: '2h',
  heartbeatTimeout: '30s',
  retry: { initialInterval: '5s', maximumInterval: '1m', maximumAttempts: 4 },
});

/** Adds up what the sites store. */
export async function measureStorage(): Promise<void> {
  await activities.measureStorage();
}
