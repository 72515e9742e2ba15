import type { Logger } from 'pino';
import { failureStatus, httpStatus, retryAfterSeconds, type Status } from '../domain/api/status.ts';
import { asFailure, Failure } from '../domain/failure.ts';
import type { ApiContext } from './context.ts';

/** Largest error body in bytes is 2 KiB (fault P18); subjects are at most 120 characters by construction. */
const maximumMessage = 500;

/** Turns whatever was thrown into a `Status`. What is not a Failure shows as `Internal`; its text goes to the log only. */
export function errorAnswer(context: ApiContext, error: unknown, log: Logger): Response {
  const failure = asFailure(error);
  const code = httpStatus(failure);
  const requestId = context.get('requestId');
  if (code >= 500) {
    log.error(
      { requestId, route: context.get('route'), code: failure.code, err: failure.cause ?? failure },
      'call failed',
    );
  }
  const status = failureStatus(bounded(failure), {
    language: context.get('language'),
    about: { kind: context.get('kind'), name: nameOf(context) },
    requestId,
  });
  const answer = statusAnswer(status, retryAfterSeconds(failure));
  const allow = context.get('allow');
  if (allow !== undefined) answer.headers.set('allow', allow);
  return answer;
}

function statusAnswer(status: Status, retryAfter: number | undefined): Response {
  return new Response(JSON.stringify(status), {
    status: status.code,
    headers: {
      'content-type': 'application/json; charset=utf-8',
      ...(retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) }),
      ...(status.code === 401 ? { 'www-authenticate': 'Bearer realm="imageferry"' } : {}),
    },
  });
}

function bounded(failure: Failure): Failure {
  const { detail } = failure;
  if (detail === undefined || detail.length <= maximumMessage) return failure;
  return new Failure(failure.code, {
    detail: `${detail.slice(0, maximumMessage)}...`,
    ...(failure.subject === undefined ? {} : { subject: failure.subject }),
    ...(failure.side === undefined ? {} : { side: failure.side }),
  });
}

function nameOf(context: ApiContext): string {
  return (context.req.param('name') ?? '').slice(0, 253);
}
