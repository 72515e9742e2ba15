import { ActivityCancellationType, executeChild, proxyActivities } from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import type { RollbackRequest } from '../domain/lifecycle/rollback.ts';
import type { ObjectRef } from '../domain/resources/meta.ts';
import { hubTaskQueue, syncWorkflowId } from '../domain/sync/ids.ts';
import { workflowTypes } from '../domain/sync/input.ts';
import type { RollbackActivities, RollbackPlan } from '../activities/rollback.ts';

const { planRollback, rollBackSite } = proxyActivities<RollbackActivities>({
  startToCloseTimeout: '2h',
  heartbeatTimeout: '30s',
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: { initialInterval: '1s', maximumInterval: '30s', maximumAttempts: 6 },
});
const { fenceTag } = proxyActivities<RollbackActivities>({
  startToCloseTimeout: '30s',
  retry: { initialInterval: '1s', maximumInterval: '30s', maximumAttempts: 20 },
});

/**
 * Puts an earlier digest back: find its content everywhere → fence the tag → move it at every site → let a sync write
 * down how things are. Where the content is gone nothing is touched.
 */
export async function rollback(ref: ObjectRef, request: RollbackRequest): Promise<RollbackPlan> {
  const plan = await planRollback(ref, request);
  await fenceTag(plan);
  await Promise.all(plan.sites.map((site) => rollBackSite(plan, site)));
  await recordBySync(ref);
  return plan;
}

/** A sync that runs already sees the pin: its fence was changed under it. */
async function recordBySync(ref: ObjectRef): Promise<void> {
  try {
    await executeChild(workflowTypes.sync, {
      workflowId: syncWorkflowId(ref),
      taskQueue: hubTaskQueue,
      args: [{ ref, trigger: 'rollback' }],
      parentClosePolicy: 'ABANDON',
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}
