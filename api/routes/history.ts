import { z } from '@hono/zod-openapi';
import { cutPage } from '../../domain/api/list-view.ts';
import { parseLimit, parsePage } from '../../domain/api/list-query.ts';
import { route, type Route } from '../route.ts';
import { groupVersion, listSchema } from '../schema/meta.ts';
import { listQuerySchema, objectParameters } from '../schema/parameters.ts';
import { syncRecordSchema, versionSchema } from '../schema/repository.ts';
import { existingRepository } from './repositories.ts';
import type { RouteTools } from './tools.ts';
import { optional } from '../schema/optional.ts';

const pageQuery = listQuerySchema.pick({ page: true, limit: true });
const shared = {
  kind: 'Repository',
  tag: 'Repositories',
  method: 'get',
  access: { verb: 'get', resource: 'repositories' },
  params: objectParameters,
  query: pageQuery,
} as const;
const recordSchema = syncRecordSchema.extend({
  milliseconds: z.int().openapi({ description: 'How long it took' }),
  workflowUrl: optional(z.string()).openapi({ description: "The run's page in Temporal's UI" }),
});

/** Past syncs, newest first. */
export const historyRoute = (tools: RouteTools): Route =>
  route(
    {
      ...shared,
      path: '/namespaces/{ns}/repositories/{name}/history',
      operationId: 'listSyncs',
      summary: 'Past syncs: why, how they ended, digest, bytes moved and reused, time taken, workflow',
      answers: { 200: { description: 'One page', schema: listSchema('SyncRecord', recordSchema) } },
    },
    async ({ params, query }) => {
      const { status } = await existingRepository(tools, params);
      const page = cutPage(status?.history ?? [], {
        page: parsePage(query.page),
        limit: parseLimit(query.limit),
      });
      const items = page.items.map((record) => ({
        ...record,
        milliseconds: Math.max(0, Date.parse(record.ended) - Date.parse(record.started)),
        ...(tools.workflowUrl === undefined
          ? {}
          : { workflowUrl: tools.workflowUrl(record.workflowId, record.runId) }),
      }));
      const { totalItems } = page;
      return { status: 200, body: { apiVersion: groupVersion, kind: 'SyncRecordList', items, totalItems } };
    },
  );

/** Versions that the tag had, newest first. */
export const versionsRoute = (tools: RouteTools): Route =>
  route(
    {
      ...shared,
      path: '/namespaces/{ns}/repositories/{name}/versions',
      operationId: 'listVersions',
      summary: 'Digests that the tag had, when they were seen and placed',
      answers: { 200: { description: 'One page', schema: listSchema('Version', versionSchema) } },
    },
    async ({ params, query }) => {
      const { status } = await existingRepository(tools, params);
      const page = cutPage(status?.versions ?? [], {
        page: parsePage(query.page),
        limit: parseLimit(query.limit),
      });
      return { status: 200, body: { apiVersion: groupVersion, kind: 'VersionList', ...page } };
    },
  );
