import type { MiddlewareHandler } from 'hono';
import type { ApiEnvironment } from '../context.ts';

/** Seconds that a browser may remember a preflight's answer. */
const rememberSeconds = 600;
/** What Temporal's UI sends along; a cookie is never asked for, as none is a right here. */
const allowedHeaders = 'authorization, content-type, x-namespace';

/**
 * Lets the pages of one origin read the answers of a path, with a token that they send themselves. Pages of other
 * origins get no leave: their browsers keep the answers from them. `origin` undefined: nobody's pages.
 */
export function corsFor(origin: string | undefined): MiddlewareHandler<ApiEnvironment> {
  return async (context, next) => {
    const asking = context.req.header('origin');
    const isAllowed = origin !== undefined && asking === origin;
    const isPreflight =
      context.req.method === 'OPTIONS' &&
      asking !== undefined &&
      context.req.header('access-control-request-method') !== undefined;
    if (isPreflight) {
      const leave = {
        'Access-Control-Allow-Origin': origin ?? '',
        'Access-Control-Allow-Methods': 'POST',
        'Access-Control-Allow-Headers': allowedHeaders,
        'Access-Control-Max-Age': String(rememberSeconds),
      };
      return context.body(null, 204, { Vary: 'Origin', ...(isAllowed ? leave : {}) });
    }
    await next();
    context.header('Vary', 'Origin');
    if (isAllowed) {
      context.header('Access-Control-Allow-Origin', origin);
      context.header('Cross-Origin-Resource-Policy', 'cross-origin');
    }
    return undefined;
  };
}
