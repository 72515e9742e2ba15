import { z } from '@hono/zod-openapi';
import { route, type Route } from '../route.ts';
import { groupVersion, listSchema } from '../schema/meta.ts';
import { noParameters, noQuery } from '../schema/parameters.ts';
import type { RouteTools } from './tools.ts';

const usedNamespaceSchema = z
  .object({ name: z.string(), images: z.int(), registrySecrets: z.int() })
  .openapi('UsedNamespace');

/** The namespaces that hold something of ours: what a client offers to choose from. */
export const namespacesRoute = (tools: RouteTools): Route =>
  route(
    {
      kind: 'UsedNamespace',
      tag: 'Repositories',
      method: 'get',
      path: '/namespaces',
      operationId: 'listUsedNamespaces',
      summary: 'Namespaces with images or registry sources, and how many',
      access: { verb: 'list', resource: 'repositories' },
      params: noParameters,
      query: noQuery,
      answers: {
        200: { description: 'All, by name', schema: listSchema('UsedNamespace', usedNamespaceSchema) },
      },
    },
    async () => {
      const images = countByNamespace(tools.repositories.all());
      const registrySecrets = countByNamespace(tools.registrySecrets.all());
      const names = [...new Set([...images.keys(), ...registrySecrets.keys()])].sort();
      const items = names.map((name) => ({
        name,
        images: images.get(name) ?? 0,
        registrySecrets: registrySecrets.get(name) ?? 0,
      }));
      const body = { apiVersion: groupVersion, kind: 'UsedNamespaceList', items, totalItems: items.length };
      return { status: 200, body };
    },
  );

function countByNamespace(
  objects: readonly { readonly metadata: { readonly namespace?: string } }[],
): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { metadata } of objects) {
    const namespace = metadata.namespace ?? '';
    counts.set(namespace, (counts.get(namespace) ?? 0) + 1);
  }
  return counts;
}
