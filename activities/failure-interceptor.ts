import { activityInfo, Context } from '@temporalio/activity';
import { ApplicationFailure, CancelledFailure, TemporalFailure } from '@temporalio/common';
import type { ActivityInboundCallsInterceptor, ActivityInterceptors } from '@temporalio/worker';
import { asFailure, Failure } from '../domain/failure.ts';
import { explain, factsOf } from '../domain/sync/failure-facts.ts';
import { atWork } from '../domain/sync/site-wait.ts';

/** What became of an activity's error that has no code of its own: logged here, kept out of the history. */
export type UnexpectedErrorLog = (activity: string, error: unknown) => void;

/**
 * The one place where a Failure becomes an ApplicationFailure: the code is its type, its class says whether the server
 * retries, the facts are its details. Errors that are not Failures become `Internal` without their message.
 */
export function failureInterceptor(log: UnexpectedErrorLog): () => ActivityInterceptors {
  const inbound: ActivityInboundCallsInterceptor = {
    async execute(input, next) {
      try {
        return await next(input);
      } catch (error) {
        throw translate(error, log);
      }
    },
  };
  return () => ({ inbound });
}

function translate(error: unknown, log: UnexpectedErrorLog): unknown {
  const { cancellationSignal: signal } = Context.current();
  if (signal.aborted)
    return isShutdown(signal) ? handedBack() : new CancelledFailure('The work was cancelled', [atWork]);
  if (error instanceof TemporalFailure) return error;
  const failure = asFailure(error);
  if (failure.code === 'Internal') log(activityInfo().activityType, failure.cause ?? failure);
  return toApplicationFailure(failure);
}

/** A worker that stops hands its work back at once, and another takes it; nobody cancelled it (fault N03). */
const handedBack = (): ApplicationFailure =>
  toApplicationFailure(new Failure('Internal', { detail: 'the worker was stopped' }));

const isShutdown = ({ reason }: AbortSignal): boolean =>
  reason instanceof CancelledFailure && reason.message === 'WORKER_SHUTDOWN';

/** `nonRetryable` by the code's class; `nextRetryDelay` where the other side named one. */
function toApplicationFailure(failure: Failure): ApplicationFailure {
  const facts = factsOf(failure);
  return ApplicationFailure.create({
    type: facts.code,
    message: explain(facts),
    nonRetryable: !failure.retryable,
    details: [facts],
    ...(facts.retryAfterMs === undefined ? {} : { nextRetryDelay: facts.retryAfterMs }),
  });
}
