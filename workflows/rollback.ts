import { ActivityCancellationType, isCancellation, proxyActivities } from '@temporalio/workflow';
import type { RollbackRequest } from '../domain/lifecycle/rollback.ts';
import type { ObjectRef } from '../domain/resources/meta.ts';
import type { RollbackActivities, RollbackPlan } from '../activities/rollback.ts';
import { factsOfError, workflowFailure } from './failure.ts';
import { thenSync } from './then-sync.ts';

const { planRollback, rollBackSite } = proxyActivities<RollbackActivities>({
  startToCloseTimeout: '2h',
  heartbeatTimeout: '30s',
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: { initialInterval: '1s', maximumInterval: '30s', maximumAttempts: 6 },
});
const { fenceTag, reportRollback } = proxyActivities<RollbackActivities>({
  startToCloseTimeout: '30s',
  retry: { initialInterval: '1s', maximumInterval: '30s', maximumAttempts: 20 },
});

/**
 * Puts an earlier digest back: find its content everywhere → fence the tag → move it at every site → let a sync write
 * down how things are. Where the content is gone nothing is touched.
 */
export async function rollback(ref: ObjectRef, request: RollbackRequest): Promise<RollbackPlan> {
  try {
    const plan = await planRollback(ref, request);
    await fenceTag(plan);
    await Promise.all(plan.sites.map((site) => rollBackSite(plan, site)));
    await reportRollback(ref, { plan });
    await thenSync(ref, 'rollback');
    return plan;
  } catch (error) {
    if (isCancellation(error)) throw error;
    const failure = factsOfError(error);
    await reportRollback(ref, { failure });
    throw workflowFailure(failure);
  }
}
