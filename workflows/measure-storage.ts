import { patched, proxyActivities } from '@temporalio/workflow';
import type { PlanningActivities } from '../activities/cleanup.ts';
import type { SweepActivities } from '../activities/sweep-documents.ts';

const activities = proxyActivities<PlanningActivities & SweepActivities>({
  startToCloseTimeout: '2h',
  heartbeatTimeout: '30s',
  retry: { initialInterval: '5s', maximumInterval: '1m', maximumAttempts: 4 },
});

/** Adds up what the sites store, and takes away what was written down about what is gone. */
export async function measureStorage(): Promise<void> {
  await activities.measureStorage();
  if (patched('documents-swept')) await activities.sweepDocuments();
}
