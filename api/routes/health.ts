import type { OpenAPIHono } from '@hono/zod-openapi';
import { asFailure } from '../../domain/failure.ts';
import type { ApiEnvironment } from '../context.ts';
import type { ApiMetrics } from '../metrics.ts';

/** Open to all, so they say nothing but whether we live, whether we can serve, and how many calls there were. */
export function healthRoutes(
  app: OpenAPIHono<ApiEnvironment>,
  parts: { readonly ready: () => Promise<void>; readonly metrics: ApiMetrics },
): void {
  app.get('/healthz', (context) => context.text('ok'));
  app.get('/readyz', async (context) => {
    try {
      await parts.ready();
      return context.text('ok');
    } catch (error) {
      return context.text(asFailure(error).code, 503);
    }
  });
  app.get('/metrics', async (context) =>
    context.text(await parts.metrics.registry.metrics(), 200, {
      'content-type': parts.metrics.registry.contentType,
    }),
  );
}
