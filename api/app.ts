import { OpenAPIHono } from '@hono/zod-openapi';
import { Failure } from '../domain/failure.ts';
import { mountConsole } from './console/console.ts';
import type { ApiEnvironment } from './context.ts';
import type { ApiDependencies } from './dependencies.ts';
import { errorAnswer } from './errors.ts';
import { CachedAccess } from './middleware/access-cache.ts';
import { bearerAuthentication } from './middleware/bearer.ts';
import { corsFor } from './middleware/cors.ts';
import { RateLimiter, rateLimit } from './middleware/rate-limit.ts';
import { requestIdentity } from './middleware/request-id.ts';
import { requestLog } from './middleware/request-log.ts';
import { securityHeaders } from './middleware/security-headers.ts';
import { basePath, mount, refuseOtherMethods } from './mount.ts';
import { openApiDocument } from './openapi.ts';
import type { Route } from './route.ts';
import { AuditTrail } from './audit-trail.ts';
import { bundleRoutes } from './routes/bundles.ts';
import { auditRoute } from './routes/audit.ts';
import { batchProgressRoute, batchRoute } from './routes/batch.ts';
import { decodePayloadsRoute } from './routes/codec.ts';
import { edgeSiteRoutes } from './routes/edge-sites.ts';
import { cleanupRoutes } from './routes/cleanup.ts';
import { editRepositoryRoute, editSecretRoute } from './routes/edits.ts';
import { healthRoutes } from './routes/health.ts';
import { historyRoute, versionsRoute } from './routes/history.ts';
import { namespacesRoute } from './routes/namespaces.ts';
import { progressRoute } from './routes/progress.ts';
import { ApiMetrics } from './metrics.ts';
import { registrySecretRoutes } from './routes/registry-secrets.ts';
import { repositoryRoutes } from './routes/repositories.ts';
import { releaseRoute, rollbackRoute } from './routes/rollback.ts';
import { siteMirrorsRoute } from './routes/site-mirrors.ts';
import { storageRoute } from './routes/storage.ts';
import { cancelSyncRoute, syncRoute } from './routes/sync.ts';
import { routeTools, type RouteTools } from './routes/tools.ts';
import { verifyRoute } from './routes/verify.ts';
import { compareRoute } from './routes/versions.ts';

export type ApiApp = OpenAPIHono<ApiEnvironment>;

/** Every route below the base path. One that is not in here does not exist; the access matrix is tested over it. */
export function apiRoutes(tools: RouteTools): readonly Route[] {
  return [
    namespacesRoute(tools),
    ...registrySecretRoutes(tools),
    verifyRoute(tools),
    ...repositoryRoutes(tools),
    syncRoute(tools),
    cancelSyncRoute(tools),
    editSecretRoute(tools),
    editRepositoryRoute(tools),
    historyRoute(tools),
    versionsRoute(tools),
    compareRoute(tools),
    rollbackRoute(tools),
    releaseRoute(tools),
    ...cleanupRoutes(tools),
    storageRoute(tools),
    progressRoute(tools),
    ...edgeSiteRoutes(tools),
    siteMirrorsRoute(tools),
    ...bundleRoutes(tools),
    batchRoute(tools),
    batchProgressRoute(tools),
    auditRoute(tools),
    decodePayloadsRoute(tools),
  ];
}

/** The API as a web-standard app: `fetch` it in-process, or hand it to a server. */
export function createApi(deps: ApiDependencies): ApiApp {
  const tools = routeTools(deps);
  const access = new CachedAccess(deps.access, tools.now);
  const app: ApiApp = new OpenAPIHono<ApiEnvironment>();
  const metrics = new ApiMetrics();
  if (deps.workerSilenceMs !== undefined) metrics.watchWorkers(deps.workerSilenceMs);
  app.openAPIRegistry.registerComponent('securitySchemes', 'bearer', { type: 'http', scheme: 'bearer' });
  app.onError((error, context) => errorAnswer(context, error, deps.log));
  app.notFound((context) => errorAnswer(context, new Failure('NotFound', { side: 'caller' }), deps.log));
  app.use(requestIdentity(), requestLog(deps.log, metrics), securityHeaders());
  healthRoutes(app, { ready: deps.ready, metrics });
  app.use(`${basePath}/codec/*`, corsFor(deps.codecOrigin));
  app.use(
    `${basePath}/*`,
    bearerAuthentication(access),
    rateLimit(new RateLimiter(deps.rateLimits), tools.now),
  );
  const trail = new AuditTrail(deps.audit.outbox, tools.now, deps.log);
  const routes = apiRoutes(tools);
  for (const route of routes) mount(app, route, { access, trail, now: tools.now });
  refuseOtherMethods(app, routes);
  mountConsole(app, deps.providers);
  const document = openApiDocument(app);
  app.get('/openapi.json', (context) => context.json(document));
  return app;
}
