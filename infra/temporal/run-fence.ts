import type { Client } from '@temporalio/client';
import { engineCall } from './engine-call.ts';

/** One try of one activity of one run. */
export interface ActivityAttempt {
  readonly workflowId: string;
  readonly runId: string;
  readonly activityId: string;
  /** Starts at 1. */
  readonly attempt: number;
}

/** Tells a worker that was frozen and comes back whether its work is still its own (fault G06). */
export interface RunFence {
  /** False where another run or a later try took over, or where the run has ended. Throws `EngineUnavailable`. */
  isCurrent(attempt: ActivityAttempt): Promise<boolean>;
}

/** Asks Temporal itself: it is the one that handed the work out, and it knows whom it handed it to last. */
export function createRunFence(client: Client): RunFence {
  return {
    async isCurrent({ workflowId, runId, activityId, attempt }) {
      const newest = await engineCall(client, () => client.workflow.getHandle(workflowId).describe());
      if (newest === undefined || newest.runId !== runId || newest.status.name !== 'RUNNING') return false;
      const pending = newest.raw.pendingActivities?.find((activity) => activity.activityId === activityId);
      return pending !== undefined && pending.attempt === attempt;
    },
  };
}
