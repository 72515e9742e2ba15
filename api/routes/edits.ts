import { z } from '@hono/zod-openapi';
import { editedAnnotations, refuseImmutable } from '../../domain/api/edits.ts';
import { checkRepositorySpec } from '../../domain/api/new-repository.ts';
import { present, presentSecret } from '../objects.ts';
import { route, type Route } from '../route.ts';
import { editFields, editTypes } from '../schema/edits.ts';
import { noQuery, objectParameters } from '../schema/parameters.ts';
import { registrySecretSchema } from '../schema/registry-secret.ts';
import { repositoryEditSchema, repositorySchema } from '../schema/repository.ts';
import { existingRepository } from './repositories.ts';
import { existingSecret } from './registry-secrets.ts';
import type { RouteTools } from './tools.ts';
import { optional } from '../schema/optional.ts';

/** Fields of a credential that are replaced only by delete and create. */
const secretImmutable = ['domain', 'username', 'password', 'provider'];
const repositoryImmutable = ['repository', 'tag', 'registryRef'];

const secretEditSchema = z
  .strictObject({
    ...editFields,
    spec: optional(
      z.strictObject({
        domain: z.unknown().optional(),
        username: z.unknown().optional(),
        password: z.unknown().optional(),
        provider: z.unknown().optional(),
        allowedNamespaces: optional(z.array(z.string().max(63)).max(1000).nullable()),
      }),
    ),
  })
  .openapi('RegistrySecretEdit');

/** Edit of what people say about a registry source. */
export const editSecretRoute = (tools: RouteTools): Route =>
  route(
    {
      kind: 'RegistrySecret',
      tag: 'Registry secrets',
      method: 'patch',
      path: '/namespaces/{ns}/registry-secrets/{name}',
      operationId: 'editRegistrySecret',
      summary: 'Edit display name, description, owner, support contact and the namespaces that may use it',
      access: { verb: 'patch', resource: 'registrysecrets' },
      params: objectParameters,
      query: noQuery,
      body: { schema: secretEditSchema, contentTypes: editTypes },
      answers: { 200: { description: 'Edited', schema: registrySecretSchema } },
    },
    async (call) => {
      refuseImmutable(call.body.spec, secretImmutable);
      const annotations = editedAnnotations(call.body);
      const { metadata } = await existingSecret(tools, call.params);
      const allowedNamespaces = call.body.spec?.allowedNamespaces;
      const edited = await tools.clients.resource('registrysecrets').patch(
        { namespace: call.params.ns, name: call.params.name },
        {
          metadata: { annotations, ...(metadata.uid === undefined ? {} : { uid: metadata.uid }) },
          ...(allowedNamespaces === undefined ? {} : { spec: { allowedNamespaces } }),
        },
      );
      await tools.record(call, edited, 'EditRegistrySecret');
      return { status: 200, body: presentSecret(edited) };
    },
  );

/** Edit of what people say about an image, and of how it is synced. */
export const editRepositoryRoute = (tools: RouteTools): Route =>
  route(
    {
      kind: 'Repository',
      tag: 'Repositories',
      method: 'patch',
      path: '/namespaces/{ns}/repositories/{name}',
      operationId: 'editRepository',
      summary: 'Edit display name, description, owner, support contact and how it is synced',
      access: { verb: 'patch', resource: 'repositories' },
      params: objectParameters,
      query: noQuery,
      body: { schema: repositoryEditSchema, contentTypes: editTypes },
      answers: { 200: { description: 'Edited', schema: repositorySchema } },
    },
    async (call) => {
      refuseImmutable(call.body.spec, repositoryImmutable);
      const annotations = editedAnnotations(call.body);
      const before = await existingRepository(tools, call.params);
      const kept = Object.entries(call.body.spec ?? {}).filter(([, value]) => value !== null);
      checkRepositorySpec({ ...before.spec, ...Object.fromEntries(kept) });
      const { uid } = before.metadata;
      const edited = await tools.clients.resource('repositories').patch(
        { namespace: call.params.ns, name: call.params.name },
        {
          metadata: { annotations, ...(uid === undefined ? {} : { uid }) },
          ...(call.body.spec === undefined ? {} : { spec: call.body.spec }),
        },
      );
      await tools.record(call, edited, 'EditRepository');
      return { status: 200, body: present(edited) };
    },
  );
