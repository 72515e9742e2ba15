import type { Client } from '@temporalio/client';
import { engineCall } from './engine-call.ts';

/** One run of a workflow. */
export interface WorkflowRun {
  readonly id: string;
  readonly runId: string;
}

/** Tells what became of runs. */
export interface RunStates {
  /** Whether a run, or one that it goes on in, is still at work. Throws `EngineUnavailable`. */
  isRunning(run: WorkflowRun): Promise<boolean>;
}

/** Asks Temporal. A run that it does not know any more has ended. */
export function createRunStates(client: Client): RunStates {
  const statusOf = async (id: string, runId?: string): Promise<string | undefined> =>
    (await engineCall(client, () => client.workflow.getHandle(id, runId).describe()))?.status.name;
  return {
    isRunning: async ({ id, runId }) => {
      const status = await statusOf(id, runId);
      return status === 'CONTINUED_AS_NEW' ? (await statusOf(id)) === 'RUNNING' : status === 'RUNNING';
    },
  };
}
