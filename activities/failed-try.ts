import { asFailure } from '../domain/failure.ts';
import { factsOf } from '../domain/sync/failure-facts.ts';
import type { Claim } from '../domain/sync/plan.ts';
import { failedTryStatus } from '../domain/sync/status.ts';
import type { SyncDependencies } from './dependencies.ts';

/**
 * Runs a step of a sync. Where it fails in a way that may pass, the workflow waits and tries again, minutes in the end: the
 * status says why meanwhile, and not only that a sync runs. That it cannot be written changes nothing.
 */
export async function tellingFailedTry<T>(
  { resources, clock }: Pick<SyncDependencies, 'resources' | 'clock'>,
  { ref, uid }: Pick<Claim, 'ref' | 'uid'>,
  step: () => Promise<T>,
): Promise<T> {
  try {
    return await step();
  } catch (error) {
    const failure = asFailure(error);
    if (failure.retryable && failure.code !== 'Internal') {
      await resources
        .resource('repositories')
        .updateStatus(ref, uid, ({ status }) => failedTryStatus(status, factsOf(failure), clock()))
        .catch(() => undefined);
    }
    throw error;
  }
}
