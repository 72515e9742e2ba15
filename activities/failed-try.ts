import { asFailure } from '../domain/failure.ts';
import type { RepositoryStatus } from '../domain/resources/repository.ts';
import { factsOf, type FailureFacts } from '../domain/sync/failure-facts.ts';
import type { SyncPlan } from '../domain/sync/plan.ts';
import { isMadeAgain } from '../domain/sync/retry.ts';
import { failedTryStatus, nextTryStatus } from '../domain/sync/status.ts';
import type { SyncDependencies } from './dependencies.ts';

/** A step of a sync that is tried by the Repository's rule. */
export interface TriedOrder {
  readonly plan: SyncPlan;
  /** Which try this is. Default: 1. */
  readonly tries?: number;
}

type Telling = Pick<SyncDependencies, 'resources' | 'clock'>;

/**
 * Runs a step of a sync. Where it fails and is tried again, the workflow waits meanwhile, minutes in the end: the status says
 * why, and not only that a sync runs, until the next try begins. That it cannot be written changes nothing. `failed` finds a
 * failure in a result. Default: only what is thrown is one.
 */
export async function tellingFailedTry<T>(
  deps: Telling,
  order: TriedOrder,
  step: () => Promise<T>,
  failed?: (result: T) => FailureFacts | undefined,
): Promise<T> {
  const { plan, tries = 1 } = order;
  if (tries > 1) await tell(deps, order, (status) => nextTryStatus(status, plan, tries, deps.clock()));
  const tellFailure = async (failure: FailureFacts): Promise<void> => {
    if (!isMadeAgain(plan.retry, tries, failure)) return;
    await tell(deps, order, (status) => failedTryStatus(status, failure, deps.clock()));
  };
  try {
    const result = await step();
    const failure = failed?.(result);
    if (failure !== undefined) await tellFailure(failure);
    return result;
  } catch (error) {
    await tellFailure(factsOf(asFailure(error)));
    throw error;
  }
}

async function tell(
  { resources }: Telling,
  { plan: { claim } }: TriedOrder,
  change: (status: RepositoryStatus | undefined) => RepositoryStatus | undefined,
): Promise<void> {
  await resources
    .resource('repositories')
    .updateStatus(claim.ref, claim.uid, ({ status }) => change(status))
    .catch(() => undefined);
}
