import {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  ChildWorkflowFailure,
  isCancellation,
  TimeoutFailure,
} from '@temporalio/workflow';
import { explain, parseFacts, type FailureFacts } from '../domain/sync/failure-facts.ts';
import { atWork } from '../domain/sync/site-wait.ts';

/** Reads the facts out of whatever a step threw. */
export function factsOfError(error: unknown): FailureFacts {
  if (isCancellation(error)) return { code: 'Cancelled' };
  const cause =
    error instanceof ActivityFailure || error instanceof ChildWorkflowFailure ? error.cause : error;
  if (cause instanceof TimeoutFailure) return timeoutFacts(cause);
  const known = cause instanceof ApplicationFailure ? parseFacts(cause.details?.[0]) : undefined;
  return known ?? { code: 'Internal' };
}

/** Whether a step was given up because no worker took it. */
export function foundNobody(error: unknown): boolean {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  return cause instanceof TimeoutFailure && cause.timeoutType === 'SCHEDULE_TO_START';
}

/** Whether a step that was called off was not taken by anybody, or by a worker that is not there any more. */
export function wasLeft(error: unknown): boolean {
  const cause = error instanceof ActivityFailure ? error.cause : undefined;
  if (cause instanceof TimeoutFailure) return cause.timeoutType === 'HEARTBEAT';
  return cause instanceof CancelledFailure && cause.details?.[0] !== atWork;
}

/** The failure by which a workflow ends; by now nothing tries again. */
export function workflowFailure(facts: FailureFacts): ApplicationFailure {
  return ApplicationFailure.create({
    type: facts.code,
    message: explain(facts),
    nonRetryable: true,
    details: [facts],
  });
}

function timeoutFacts(failure: TimeoutFailure): FailureFacts {
  return failure.timeoutType === 'SCHEDULE_TO_START'
    ? { code: 'SiteUnavailable', side: 'destination', detail: 'no worker took the work' }
    : { code: 'Timeout', detail: 'a step took too long' };
}
