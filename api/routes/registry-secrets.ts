import { z } from '@hono/zod-openapi';
import { registrySecretView } from '../../domain/api/views.ts';
import { usersOf } from '../../domain/api/registry-use.ts';
import { someNames } from '../../domain/some-names.ts';
import { Failure } from '../../domain/failure.ts';
import { forceDeleteAnnotation, type RegistrySecret } from '../../domain/resources/registry-secret.ts';
import { presentSecret } from '../objects.ts';
import { listAnswer } from '../list-answer.ts';
import { allNamespaces, route, type Route } from '../route.ts';
import {
  listParameters,
  listQuery,
  listQuerySchema,
  namespaceParameters,
  noQuery,
  objectParameters,
} from '../schema/parameters.ts';
import {
  newRegistrySecretSchema,
  registrySecretListSchema,
  registrySecretSchema,
} from '../schema/registry-secret.ts';
import { storeSecret } from '../store-secret.ts';
import type { RouteTools } from './tools.ts';
import { optional } from '../schema/optional.ts';

const shared = { kind: 'RegistrySecret', tag: 'Registry secrets' } as const;
const collection = '/namespaces/{ns}/registry-secrets';
const single = `${collection}/{name}`;

/** List, get, create and delete of RegistrySecrets. */
export function registrySecretRoutes(tools: RouteTools): readonly Route[] {
  return [listRoute(tools), getRoute(tools), createRoute(tools), deleteRoute(tools)];
}

const listRoute = (tools: RouteTools): Route =>
  route(
    {
      ...shared,
      method: 'get',
      path: collection,
      operationId: 'listRegistrySecrets',
      summary: 'Registry sources of a namespace, or of all',
      access: { verb: 'list', resource: 'registrysecrets' },
      allNamespaces: true,
      params: listParameters,
      query: listQuerySchema.extend({
        status: optional(z.string().max(20)).openapi({ description: 'success, failed or untested' }),
        provider: optional(z.string().max(63)),
        domain: optional(z.string().max(300)),
      }),
      answers: { 200: { description: 'One page', schema: registrySecretListSchema } },
    },
    async ({ params, query }) => {
      const namespace = params.ns === allNamespaces ? undefined : params.ns;
      const page = tools.registrySecrets.page(listQuery(query, registrySecretView), namespace);
      return listAnswer('RegistrySecret', page, (row) => row.json(presentSecret));
    },
  );

const getRoute = (tools: RouteTools): Route =>
  route(
    {
      ...shared,
      method: 'get',
      path: single,
      operationId: 'getRegistrySecret',
      summary: 'One registry source',
      access: { verb: 'get', resource: 'registrysecrets' },
      params: objectParameters,
      query: noQuery,
      answers: { 200: { description: 'The registry source', schema: registrySecretSchema } },
    },
    async ({ params }) => ({ status: 200, body: presentSecret(await existingSecret(tools, params)) }),
  );

const createRoute = (tools: RouteTools): Route =>
  route(
    {
      ...shared,
      method: 'post',
      path: collection,
      operationId: 'createRegistrySecret',
      summary: 'Declare a registry and store its credential',
      access: { verb: 'create', resource: 'registrysecrets' },
      params: namespaceParameters,
      query: noQuery,
      body: { schema: newRegistrySecretSchema },
      answers: { 201: { description: 'Created', schema: registrySecretSchema } },
    },
    async (call) => {
      const created = await storeSecret(tools, call, call.params.ns, call.body);
      return { status: 201, body: presentSecret(created) };
    },
  );

const deleteRoute = (tools: RouteTools): Route =>
  route(
    {
      ...shared,
      method: 'delete',
      path: single,
      operationId: 'deleteRegistrySecret',
      summary: 'Delete a registry source and its credential',
      access: { verb: 'delete', resource: 'registrysecrets' },
      params: objectParameters,
      query: z.object({
        force: optional(z.enum(['true', 'false'])).openapi({
          description: 'Delete although Repositories use it. Default: false',
        }),
      }),
      answers: { 204: { description: 'Deleted' } },
    },
    async (call) => {
      const secret = await existingSecret(tools, call.params);
      const key = { namespace: call.params.ns, name: call.params.name };
      const client = tools.clients.resource('registrysecrets');
      if (call.query.force !== 'true') refuseInUse(tools, key);
      // The admission webhook refuses what is in use as well, unless the object itself says that it may go.
      else await client.patch(key, { metadata: { annotations: { [forceDeleteAnnotation]: 'true' } } });
      await client.delete(key, secret.metadata.uid);
      await tools.settle('registrysecrets', key, (seen) => seen?.metadata.uid !== secret.metadata.uid);
      await tools.record(call, secret, 'DeleteRegistrySecret');
      return { status: 204 };
    },
  );

function refuseInUse(tools: RouteTools, key: { readonly namespace: string; readonly name: string }): void {
  const users = usersOf(key, tools.repositories.all());
  if (users.length === 0) return;
  throw new Failure('InUse', { side: 'caller', detail: `used by repositories ${someNames(users, 3)}` });
}

/** The RegistrySecret of a path. Throws `NotFound`. */
export async function existingSecret(
  tools: RouteTools,
  params: z.output<typeof objectParameters>,
): Promise<RegistrySecret> {
  const key = { namespace: params.ns, name: params.name };
  const secret = await tools.clients.resource('registrysecrets').get(key);
  if (secret === undefined)
    throw new Failure('NotFound', { side: 'caller', subject: `registrysecrets ${params.name}` });
  return secret;
}
