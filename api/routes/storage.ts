import { z } from '@hono/zod-openapi';
import { cutPage } from '../../domain/api/list-view.ts';
import { parseLimit, parsePage } from '../../domain/api/list-query.ts';
import { storageDocument } from '../../domain/lifecycle/ids.ts';
import type { StorageReport } from '../../domain/lifecycle/storage.ts';
import { route, type Route } from '../route.ts';
import { storageLineSchema } from '../schema/lifecycle.ts';
import { groupVersion } from '../schema/meta.ts';
import { optional } from '../schema/optional.ts';
import { listQuerySchema, noParameters } from '../schema/parameters.ts';
import type { RouteTools } from './tools.ts';

const answerSchema = z
  .object({
    apiVersion: z.literal(groupVersion),
    kind: z.literal('StorageLineList'),
    measured: optional(z.string()).openapi({ description: 'When. Left out: not yet' }),
    items: z.array(storageLineSchema),
    totalItems: z.int(),
  })
  .openapi('StorageLineList');

/** Bytes by site, repository and tag. It spans namespaces, so that it needs the right to list EdgeSites. */
export const storageRoute = (tools: RouteTools): Route =>
  route(
    {
      kind: 'StorageLine',
      tag: 'Lifecycle',
      method: 'get',
      path: '/storage',
      operationId: 'listStorage',
      summary:
        'Bytes at the sites, exact from manifests: by registry, repository and tag, with what is shared',
      access: { verb: 'list', resource: 'edgesites' },
      params: noParameters,
      query: listQuerySchema.pick({ page: true, limit: true, search: true }).extend({
        site: optional(z.string().max(63)),
        by: optional(z.enum(['site', 'repository', 'tag'])).openapi({ description: 'Default: all three' }),
      }),
      answers: { 200: { description: 'One page', schema: answerSchema } },
    },
    async ({ query }) => {
      const text = await tools.lifecycle.documents.read(storageDocument);
      const report = text === undefined ? undefined : (JSON.parse(text) as StorageReport);
      const lines = (report?.lines ?? []).filter(
        ({ site, path, tag }) =>
          (query.site === undefined || site === query.site) &&
          (query.by === undefined || query.by === levelOf(path, tag)) &&
          (query.search === undefined || `${path ?? ''}:${tag ?? ''}`.includes(query.search)),
      );
      const page = cutPage(lines, { page: parsePage(query.page), limit: parseLimit(query.limit) });
      const measured = report === undefined ? {} : { measured: report.measured };
      return {
        status: 200,
        body: { apiVersion: groupVersion, kind: 'StorageLineList', ...measured, ...page },
      };
    },
  );

const levelOf = (path: string | undefined, tag: string | undefined): 'site' | 'repository' | 'tag' =>
  path === undefined ? 'site' : tag === undefined ? 'repository' : 'tag';
