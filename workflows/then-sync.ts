import { executeChild, getExternalWorkflowHandle, isCancellation } from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import type { ObjectRef } from '../domain/resources/meta.ts';
import type { SyncTrigger } from '../domain/resources/repository.ts';
import { hubTaskQueue, syncWorkflowId } from '../domain/sync/ids.ts';
import { syncAgainSignal } from '../domain/sync/input.ts';
import { syncRepository } from './sync.ts';

/** A run that ends at the very moment it is signalled takes no signal: then there is room for a new one. */
const attempts = 5;

/**
 * Runs a sync and waits for its end; the sync outlives whoever asked for it. One that runs already may have begun too
 * early to see what changed: it is asked to run once more, and not waited for.
 */
export async function thenSync(ref: ObjectRef, trigger: SyncTrigger): Promise<void> {
  const workflowId = syncWorkflowId(ref);
  for (let attempt = 1; ; attempt += 1) {
    try {
      await executeChild(syncRepository, {
        workflowId,
        taskQueue: hubTaskQueue,
        args: [{ ref, trigger }],
        parentClosePolicy: 'ABANDON',
      });
      return;
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    }
    try {
      await getExternalWorkflowHandle(workflowId).signal(syncAgainSignal, trigger);
      return;
    } catch (error) {
      if (isCancellation(error) || attempt === attempts) throw error;
    }
  }
}
