import { executeChild, getExternalWorkflowHandle } from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import type { ObjectRef } from '../domain/resources/meta.ts';
import type { SyncTrigger } from '../domain/resources/repository.ts';
import { hubTaskQueue, syncWorkflowId } from '../domain/sync/ids.ts';
import { syncAgainSignal } from '../domain/sync/input.ts';
import { syncRepository } from './sync.ts';

/**
 * Runs a sync and waits for its end; the sync outlives whoever asked for it. One that runs already may have begun too
 * early to see what changed: it is asked to run once more, and not waited for.
 */
export async function thenSync(ref: ObjectRef, trigger: SyncTrigger): Promise<void> {
  const workflowId = syncWorkflowId(ref);
  try {
    await executeChild(syncRepository, {
      workflowId,
      taskQueue: hubTaskQueue,
      args: [{ ref, trigger }],
      parentClosePolicy: 'ABANDON',
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    await getExternalWorkflowHandle(workflowId).signal(syncAgainSignal, trigger);
  }
}
