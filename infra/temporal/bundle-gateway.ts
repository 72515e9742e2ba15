import type { Client } from '@temporalio/client';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { bundleWorkflowId, stageBundleWorkflow, type StageOrder } from '../../domain/bundle/stage-plan.ts';
import { Failure } from '../../domain/failure.ts';
import { hubTaskQueue } from '../../domain/sync/ids.ts';
import { engineCall } from './engine-call.ts';
import type { StartedRun } from './gateway.ts';
import { attributesOf } from './search-attributes.ts';

/** Starting of stagings. */
export interface BundleGateway {
  /** Starts `bundle/<site>`, or joins the one that runs. */
  startStage(order: StageOrder): Promise<StartedRun>;
}

/** A gateway over a Temporal client. */
export function createBundleGateway(client: Client): BundleGateway {
  return {
    async startStage(order) {
      const workflowId = bundleWorkflowId(order.site);
      const started = await engineCall(client, async () => {
        try {
          const handle = await client.workflow.start(stageBundleWorkflow, {
            workflowId,
            args: [order],
            taskQueue: hubTaskQueue,
            workflowIdConflictPolicy: 'FAIL',
            staticSummary: `Stage a ${order.kind} bundle for ${order.site}`,
            typedSearchAttributes: attributesOf({ site: order.site }),
          });
          return { workflowId, runId: handle.firstExecutionRunId, alreadyRunning: false };
        } catch (error) {
          if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
          const { runId } = await client.workflow.getHandle(workflowId).describe();
          return { workflowId, runId, alreadyRunning: true };
        }
      });
      if (started === undefined)
        throw new Failure('EngineUnavailable', { side: 'cluster', subject: workflowId });
      return started;
    },
  };
}
