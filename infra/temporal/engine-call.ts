import { ScheduleNotFoundError, type Client } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/common';
import { Failure } from '../../domain/failure.ts';

/** Milliseconds that one call to Temporal may take, retries of the client included. */
const callTimeoutMs = 5000;

/**
 * Runs a call with a deadline. Not finding something is an answer (undefined); everything else that is not a Failure
 * becomes `EngineUnavailable` with its message kept out of sight.
 */
export async function engineCall<T>(client: Client, call: () => Promise<T>): Promise<T | undefined> {
  try {
    return await client.withDeadline(Date.now() + callTimeoutMs, call);
  } catch (error) {
    if (error instanceof WorkflowNotFoundError || error instanceof ScheduleNotFoundError) return undefined;
    if (error instanceof Failure) throw error;
    throw new Failure('EngineUnavailable', { side: 'cluster', cause: error });
  }
}
