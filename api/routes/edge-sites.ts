import { z } from '@hono/zod-openapi';
import { editedAnnotations } from '../../domain/api/edits.ts';
import { checkEdgeSiteSpec } from '../../domain/api/new-edge-site.ts';
import { edgeSiteView } from '../../domain/api/views.ts';
import { Failure } from '../../domain/failure.ts';
import type { EdgeSite } from '../../domain/resources/edge-site.ts';
import { newMeta, present } from '../objects.ts';
import { listAnswer } from '../list-answer.ts';
import { route, type Route } from '../route.ts';
import {
  edgeSiteEditSchema,
  edgeSiteListSchema,
  edgeSiteSchema,
  newEdgeSiteSchema,
} from '../schema/edge-site.ts';
import { editTypes } from '../schema/edits.ts';
import { groupVersion } from '../schema/meta.ts';
import {
  clusterParameters,
  listQuery,
  listQuerySchema,
  noParameters,
  noQuery,
} from '../schema/parameters.ts';
import type { RouteTools } from './tools.ts';
import { optional } from '../schema/optional.ts';

const shared = { kind: 'EdgeSite', tag: 'Edge sites' } as const;

/** List, get, create, edit and delete of EdgeSites. */
export function edgeSiteRoutes(tools: RouteTools): readonly Route[] {
  return [listRoute(tools), getRoute(tools), createRoute(tools), editRoute(tools), deleteRoute(tools)];
}

const listRoute = (tools: RouteTools): Route =>
  route(
    {
      ...shared,
      method: 'get',
      path: '/edge-sites',
      operationId: 'listEdgeSites',
      summary: 'Sites that images are brought to',
      access: { verb: 'list', resource: 'edgesites' },
      params: noParameters,
      query: listQuerySchema.extend({ mode: optional(z.string().max(20)) }),
      answers: { 200: { description: 'One page', schema: edgeSiteListSchema } },
    },
    async ({ query }) => {
      const page = tools.edgeSites.page(listQuery(query, edgeSiteView));
      return listAnswer('EdgeSite', page, (row) => row.json(present));
    },
  );

const getRoute = (tools: RouteTools): Route =>
  route(
    {
      ...shared,
      method: 'get',
      path: '/edge-sites/{name}',
      operationId: 'getEdgeSite',
      summary: 'One site',
      access: { verb: 'get', resource: 'edgesites' },
      params: clusterParameters,
      query: noQuery,
      answers: { 200: { description: 'The site', schema: edgeSiteSchema } },
    },
    async ({ params }) => ({ status: 200, body: present(await existingSite(tools, params.name)) }),
  );

const createRoute = (tools: RouteTools): Route =>
  route(
    {
      ...shared,
      method: 'post',
      path: '/edge-sites',
      operationId: 'createEdgeSite',
      summary: 'Declare a site',
      access: { verb: 'create', resource: 'edgesites' },
      params: noParameters,
      query: noQuery,
      body: { schema: newEdgeSiteSchema },
      answers: { 201: { description: 'Created', schema: edgeSiteSchema } },
    },
    async (call) => {
      checkEdgeSiteSpec(call.body.spec);
      const metadata = newMeta('edgesites', call.body.metadata, undefined, {});
      const created = await tools.clients
        .resource('edgesites')
        .create({ apiVersion: groupVersion, kind: 'EdgeSite', metadata, spec: call.body.spec });
      const { name, uid } = created.metadata;
      await tools.settle('edgesites', { name }, (seen) => seen?.metadata.uid === uid);
      await tools.record(call, created, 'CreateEdgeSite');
      return { status: 201, body: present(created) };
    },
  );

const editRoute = (tools: RouteTools): Route =>
  route(
    {
      ...shared,
      method: 'patch',
      path: '/edge-sites/{name}',
      operationId: 'editEdgeSite',
      summary: 'Edit a site',
      access: { verb: 'patch', resource: 'edgesites' },
      params: clusterParameters,
      query: noQuery,
      body: { schema: edgeSiteEditSchema, contentTypes: editTypes },
      answers: { 200: { description: 'Edited', schema: edgeSiteSchema } },
    },
    async (call) => {
      const annotations = editedAnnotations(call.body);
      const before = await existingSite(tools, call.params.name);
      if (call.body.spec !== undefined) checkEdgeSiteSpec({ ...before.spec, ...call.body.spec });
      const edited = await tools.clients.resource('edgesites').patch(call.params, {
        metadata: { annotations },
        ...(call.body.spec === undefined ? {} : { spec: call.body.spec }),
      });
      await tools.record(call, edited, 'EditEdgeSite');
      return { status: 200, body: present(edited) };
    },
  );

const deleteRoute = (tools: RouteTools): Route =>
  route(
    {
      ...shared,
      method: 'delete',
      path: '/edge-sites/{name}',
      operationId: 'deleteEdgeSite',
      summary: 'Forget a site; what is in its registry stays',
      access: { verb: 'delete', resource: 'edgesites' },
      params: clusterParameters,
      query: z.object({ force: optional(z.enum(['true', 'false'])) }),
      answers: { 204: { description: 'Deleted' } },
    },
    async (call) => {
      const site = await existingSite(tools, call.params.name);
      const { name, uid } = site.metadata;
      const users = tools.repositories.all().filter(({ spec }) => spec.sites?.includes(name) === true);
      if (call.query.force !== 'true' && users.length > 0) {
        throw new Failure('InUse', { side: 'caller', detail: `named by ${users.length} repositories` });
      }
      await tools.clients.resource('edgesites').delete({ name }, uid);
      await tools.settle('edgesites', { name }, (seen) => seen?.metadata.uid !== uid);
      await tools.record(call, site, 'DeleteEdgeSite');
      return { status: 204 };
    },
  );

async function existingSite(tools: RouteTools, name: string): Promise<EdgeSite> {
  const site = await tools.clients.resource('edgesites').get({ name });
  if (site === undefined) throw new Failure('NotFound', { side: 'caller', subject: `edgesites ${name}` });
  return site;
}
