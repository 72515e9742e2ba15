import type { Client } from '@temporalio/client';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  bundleWorkflowId,
  stageAgainSignal,
  stageBundleWorkflow,
  type StageOrder,
} from '../../domain/bundle/stage-plan.ts';
import { Failure } from '../../domain/failure.ts';
import { hubTaskQueue } from '../../domain/sync/ids.ts';
import { engineCall } from './engine-call.ts';
import type { StartedRun } from './gateway.ts';
import { attributesOf } from './search-attributes.ts';

/** Starting of stagings. */
export interface BundleGateway {
  /**
   * Starts `bundle/<site>`, or joins the one that runs; what a person asks for and the one that runs is not, is staged
   * after it. `delayMs` is waited first, for more to come. Default: 0.
   */
  startStage(order: StageOrder, delayMs?: number): Promise<StartedRun>;
}

/** A gateway over a Temporal client. */
export function createBundleGateway(client: Client): BundleGateway {
  return {
    async startStage(order, delayMs = 0) {
      const workflowId = bundleWorkflowId(order.site);
      const started = await engineCall(client, async () => {
        try {
          const handle = await client.workflow.start(stageBundleWorkflow, {
            workflowId,
            args: [order],
            taskQueue: hubTaskQueue,
            workflowIdConflictPolicy: 'FAIL',
            ...(delayMs === 0 ? {} : { startDelay: delayMs }),
            staticSummary: `Stage a ${order.kind} bundle for ${order.site}`,
            typedSearchAttributes: attributesOf({ site: order.site }),
          });
          return { workflowId, runId: handle.firstExecutionRunId, alreadyRunning: false };
        } catch (error) {
          if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
          const running = client.workflow.getHandle(workflowId);
          const { runId } = await running.describe();
          if ((order.trigger ?? 'demand') === 'demand') await running.signal(stageAgainSignal, order);
          return { workflowId, runId, alreadyRunning: true };
        }
      });
      if (started === undefined)
        throw new Failure('EngineUnavailable', { side: 'cluster', subject: workflowId });
      return started;
    },
  };
}
