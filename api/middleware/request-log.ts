import type { MiddlewareHandler } from 'hono';
import type { Logger } from 'pino';
import { sourceAddress, type ApiEnvironment } from '../context.ts';
import type { ApiMetrics } from '../metrics.ts';

/** Writes one line for each call and measures it. Neither path, query, header nor body is logged: names may be secret. */
export function requestLog(log: Logger, metrics: ApiMetrics): MiddlewareHandler<ApiEnvironment> {
  return async (context, next) => {
    const start = performance.now();
    await next();
    const seconds = (performance.now() - start) / 1000;
    const call = { method: context.req.method, route: context.get('route'), status: context.res.status };
    metrics.observe(call, seconds);
    log.debug(
      {
        ...call,
        milliseconds: Math.round(seconds * 1000),
        requestId: context.get('requestId'),
        user: context.get('caller')?.username,
        source: sourceAddress(context),
      },
      'call',
    );
  };
}
