import { startChild } from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { bundleWorkflowId, stageBundleWorkflow, type StageOrder } from '../domain/bundle/stage-plan.ts';

/** What a site's schedule starts. The staging has an id of its own: one runs at a time, whoever asked for it. */
export async function scheduledStage(site: string): Promise<void> {
  const order: StageOrder = { site, kind: 'delta', trigger: 'schedule' };
  try {
    await startChild(stageBundleWorkflow, {
      workflowId: bundleWorkflowId(site),
      args: [order],
      parentClosePolicy: 'ABANDON',
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}
