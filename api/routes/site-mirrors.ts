import { z } from '@hono/zod-openapi';
import { Failure } from '../../domain/failure.ts';
import { mirrorFiles } from '../../domain/sync/containerd.ts';
import { route, type Route } from '../route.ts';
import { clusterParameters, noQuery } from '../schema/parameters.ts';
import type { RouteTools } from './tools.ts';

const mirrorFilesSchema = z
  .object({ files: z.array(z.object({ path: z.string(), content: z.string() })) })
  .openapi('ContainerdFiles');

/** containerd's configuration for the nodes of a site, as the EdgeSite and the Repositories are now. */
export const siteMirrorsRoute = (tools: RouteTools): Route =>
  route(
    {
      kind: 'EdgeSite',
      tag: 'Edge sites',
      method: 'get',
      path: '/edge-sites/{name}/containerd',
      operationId: 'getContainerdFiles',
      summary: 'hosts.toml files that make the nodes of a site pull from its registry first',
      access: { verb: 'get', resource: 'edgesites' },
      params: clusterParameters,
      query: noQuery,
      answers: {
        200: {
          description: "Files below containerd's config_path, such as /etc/containerd/certs.d",
          schema: mirrorFilesSchema,
        },
      },
    },
    async ({ params: { name } }) => {
      const site = await tools.clients.resource('edgesites').get({ name });
      if (site === undefined) throw new Failure('NotFound', { side: 'caller', subject: `edgesites ${name}` });
      const sites = tools.edgeSites.all().filter(({ metadata }) => metadata.name !== name);
      const files = mirrorFiles({
        site,
        sites: [...sites, site],
        repositories: tools.repositories.all(),
        secrets: tools.registrySecrets.all(),
      });
      return { status: 200, body: { files } };
    },
  );
