import { z, type OpenAPIHono } from '@hono/zod-openapi';
import type { ApiEnvironment } from './context.ts';
import type { DocumentedAnswer, RouteSpec } from './route.ts';
import { statusSchema } from './schema/status.ts';

/** Answers that every route may give, besides its own. */
const sharedAnswers: Readonly<Record<number, string>> = {
  400: 'The request is not valid',
  401: 'No valid bearer token',
  403: 'The caller may not do this',
  404: 'There is no such object',
  405: 'The path does not take this method',
  409: 'It conflicts with what is there',
  413: 'The body is too large',
  415: 'The content type is not supported',
  422: 'What was sent can be read, and is not what it should be: a signature, a digest, a base',
  429: 'Too many calls',
  500: 'Something went wrong inside',
  502: 'A registry answered wrongly',
  503: 'A part that is needed does not answer; nothing was done',
  504: 'A part that is needed took too long',
  507: 'A registry or a store is full',
};

/** Writes a route into the OpenAPI document. */
export function describeRoute(
  app: OpenAPIHono<ApiEnvironment>,
  base: string,
  spec: RouteSpec<z.ZodObject, z.ZodObject, z.ZodType>,
): void {
  const own = Object.entries(spec.answers).map(([code, answer]) => [code, documented(answer)]);
  const shared = Object.entries(sharedAnswers).map(([code, description]) => [
    code,
    documented({ description, schema: statusSchema }),
  ]);
  const contentTypes = spec.body?.contentTypes ?? ['application/json'];
  const bodySchema = spec.body?.documented ?? spec.body?.schema ?? z.unknown();
  const { subresource } = spec.access;
  app.openAPIRegistry.registerPath({
    method: spec.method,
    path: base + spec.path,
    operationId: spec.operationId,
    summary: spec.summary,
    tags: [spec.tag],
    security: [{ bearer: [] }],
    'x-required-access': {
      verb: spec.access.verb,
      resource: subresource === undefined ? spec.access.resource : `${spec.access.resource}/${subresource}`,
    },
    request: {
      params: spec.params,
      query: spec.query,
      ...(spec.body === undefined
        ? {}
        : {
            body: {
              required: spec.body.optional !== true,
              content: Object.fromEntries(
                contentTypes.map((type) => [
                  type,
                  { schema: type.includes('json') ? bodySchema : z.string() },
                ]),
              ),
            },
          }),
    },
    responses: Object.fromEntries([...shared, ...own]),
  });
}

function documented({ description, schema, contentTypes = ['application/json'] }: DocumentedAnswer): object {
  if (schema === undefined) return { description };
  return { description, content: Object.fromEntries(contentTypes.map((type) => [type, { schema }])) };
}

/** The whole document, OpenAPI 3.1. */
export function openApiDocument(app: OpenAPIHono<ApiEnvironment>): object {
  return app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'Imageferry',
      version: 'v1alpha1',
      description: 'Registries and images of edge sites. Errors are Kubernetes Status objects.',
      license: { name: 'Apache-2.0' },
    },
  });
}
