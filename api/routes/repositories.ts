import { z } from '@hono/zod-openapi';
import { checkRegistryRef, checkRepositorySpec } from '../../domain/api/new-repository.ts';
import { repositoryView } from '../../domain/api/views.ts';
import type { ListRow } from '../../domain/api/list-row.ts';
import { withWorkerSilence } from '../../domain/api/worker-silence.ts';
import { Failure } from '../../domain/failure.ts';
import type { Repository } from '../../domain/resources/repository.ts';
import type { Call } from '../context.ts';
import { newMeta, present } from '../objects.ts';
import { listAnswer } from '../list-answer.ts';
import { allNamespaces, route, type Answer, type Route } from '../route.ts';
import { groupVersion } from '../schema/meta.ts';
import {
  listParameters,
  listQuery,
  listQuerySchema,
  namespaceParameters,
  noQuery,
  objectParameters,
} from '../schema/parameters.ts';
import { newRepositorySchema, repositoryListSchema, repositorySchema } from '../schema/repository.ts';
import type { RouteTools } from './tools.ts';
import { optional } from '../schema/optional.ts';

const shared = { kind: 'Repository', tag: 'Repositories' } as const;
const collection = '/namespaces/{ns}/repositories';
const single = `${collection}/{name}`;

/** List, get, create and delete of Repositories. */
export function repositoryRoutes(tools: RouteTools): readonly Route[] {
  return [listRoute(tools), getRoute(tools), createRoute(tools), deleteRoute(tools)];
}

const listRoute = (tools: RouteTools): Route =>
  route(
    {
      ...shared,
      method: 'get',
      path: collection,
      operationId: 'listRepositories',
      summary: 'Images of a namespace, or of all',
      access: { verb: 'list', resource: 'repositories' },
      allNamespaces: true,
      params: listParameters,
      query: listQuerySchema.extend({
        name: listQuerySchema.shape.name.openapi({ description: 'Part of the name, display name or path' }),
        status: optional(z.string().max(20)).openapi({ description: 'Success, Failed, Syncing' }),
        tag: optional(z.string().max(128)),
        registry: optional(z.string().max(253)).openapi({ description: 'Name of the RegistrySecret' }),
        domain: optional(z.string().max(300)),
      }),
      answers: { 200: { description: 'One page', schema: repositoryListSchema } },
    },
    async ({ params, query }) => {
      const namespace = params.ns === allNamespaces ? undefined : params.ns;
      const page = tools.repositories.page(listQuery(query, repositoryView), namespace);
      return listAnswer('Repository', page, (row) => honestJson(tools, row));
    },
  );

const getRoute = (tools: RouteTools): Route =>
  route(
    {
      ...shared,
      method: 'get',
      path: single,
      operationId: 'getRepository',
      summary: 'One image',
      access: { verb: 'get', resource: 'repositories' },
      params: objectParameters,
      query: noQuery,
      answers: { 200: { description: 'The image', schema: repositorySchema } },
    },
    async ({ params }) => ({
      status: 200,
      body: present(honest(tools, await existingRepository(tools, params))),
    }),
  );

const createRoute = (tools: RouteTools): Route =>
  route(
    {
      ...shared,
      method: 'post',
      path: collection,
      operationId: 'createRepository',
      summary: 'Declare an image; its first sync starts at once',
      access: { verb: 'create', resource: 'repositories' },
      params: namespaceParameters,
      query: noQuery,
      body: { schema: newRepositorySchema },
      answers: { 201: { description: 'Created', schema: repositorySchema } },
    },
    (call) => createRepository(tools, call),
  );

/** What the status says is told together with whether anybody keeps it. */
const honest = (tools: RouteTools, repository: Repository): Repository =>
  withWorkerSilence(repository, tools.workerSilenceMs?.() ?? 0, tools.now());

/** Only what is said of a Repository itself can be kept: for how long no worker was heard of changes with time. */
function honestJson(tools: RouteTools, row: ListRow<Repository>): Uint8Array {
  const told = honest(tools, row.item);
  return told === row.item ? row.json(present) : Buffer.from(JSON.stringify(present(told)));
}

/** Only the object is created here: the reconciler starts the first sync, as it does for `kubectl apply`. */
async function createRepository(
  tools: RouteTools,
  call: Call<z.output<typeof namespaceParameters>, unknown, z.output<typeof newRepositorySchema>>,
): Promise<Answer> {
  const { spec } = call.body;
  checkRepositorySpec(spec);
  const owner = { namespace: spec.registryRef.namespace ?? call.params.ns, name: spec.registryRef.name };
  checkRegistryRef(spec, call.params.ns, tools.caches.cache('registrysecrets').get(owner));
  const metadata = newMeta('repositories', call.body.metadata, call.params.ns, {});
  const created = await tools.clients
    .resource('repositories')
    .create({ apiVersion: groupVersion, kind: 'Repository', metadata, spec });
  const key = { namespace: call.params.ns, name: created.metadata.name };
  await tools.settle('repositories', key, (seen) => seen?.metadata.uid === created.metadata.uid);
  await tools.record(call, created, 'CreateRepository');
  return { status: 201, body: present(created) };
}

const deleteRoute = (tools: RouteTools): Route =>
  route(
    {
      ...shared,
      method: 'delete',
      path: single,
      operationId: 'deleteRepository',
      summary: 'Stop syncing an image; running workloads are never touched',
      access: { verb: 'delete', resource: 'repositories' },
      params: objectParameters,
      query: noQuery,
      answers: { 204: { description: 'Deleted' } },
    },
    async (call) => {
      const repository = await existingRepository(tools, call.params);
      const key = { namespace: call.params.ns, name: call.params.name };
      await tools.clients.resource('repositories').delete(key, repository.metadata.uid);
      await tools.settle('repositories', key, (seen) => seen?.metadata.uid !== repository.metadata.uid);
      await tools.record(call, repository, 'DeleteRepository');
      return { status: 204 };
    },
  );

/** The Repository of a path. Throws `NotFound`. */
export async function existingRepository(
  tools: RouteTools,
  params: z.output<typeof objectParameters>,
): Promise<Repository> {
  const key = { namespace: params.ns, name: params.name };
  const repository = await tools.clients.resource('repositories').get(key);
  if (repository === undefined)
    throw new Failure('NotFound', { side: 'caller', subject: `repositories ${params.name}` });
  return repository;
}
