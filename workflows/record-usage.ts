import { proxyActivities } from '@temporalio/workflow';
import type { PlanningActivities } from '../activities/cleanup.ts';

const activities = proxyActivities<PlanningActivities>({
  startToCloseTimeout: '10m',
  retry: { initialInterval: '2s', maximumAttempts: 5 },
});

/** Writes down what is in use, so that `unusedDays` has something to count from. */
export async function recordUsage(): Promise<void> {
  await activities.recordUsage();
}
