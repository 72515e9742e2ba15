import { randomUUID } from 'node:crypto';
import type { MiddlewareHandler } from 'hono';
import { preferredLanguage } from '../../domain/api/status.ts';
import type { ApiEnvironment } from '../context.ts';

/**
 * Gives each call an id, answers it in `X-Request-Id` and puts it into logs, errors and audit records. A caller's own id
 * is kept where it is short and plain, so that it cannot forge log lines.
 */
export function requestIdentity(): MiddlewareHandler<ApiEnvironment> {
  return async (context, next) => {
    const given = context.req.header('x-request-id') ?? '';
    const id = /^[A-Za-z0-9._-]{8,64}$/.test(given) ? given : randomUUID();
    context.set('requestId', id);
    context.set('language', preferredLanguage(context.req.header('accept-language')));
    context.set('route', 'unknown');
    context.set('kind', '');
    context.set('caller', undefined);
    await next();
    // Not context.header(): once there is an answer that makes another one, and reads the body through a stream.
    context.res.headers.set('X-Request-Id', id);
  };
}
