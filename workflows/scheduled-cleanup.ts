import { startChild } from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { cleanupWorkflowId, lifecycleWorkflows } from '../domain/lifecycle/ids.ts';
import type { CleanupInput } from '../domain/lifecycle/cleanup-run.ts';
import type { ObjectRef } from '../domain/resources/meta.ts';

/** What a schedule starts. The cleanup has an id of its own: one runs at a time, whoever asked for it. */
export async function scheduledCleanup(ref: ObjectRef): Promise<void> {
  const input: CleanupInput = { ref, trigger: 'schedule' };
  try {
    await startChild(lifecycleWorkflows.cleanup, {
      workflowId: cleanupWorkflowId(ref),
      args: [input],
      parentClosePolicy: 'ABANDON',
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}
