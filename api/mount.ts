import type { OpenAPIHono, z } from '@hono/zod-openapi';
import { printable } from '../domain/names/digest.ts';
import { parseNamespace, parseObjectName } from '../domain/names/kubernetes-name.ts';
import { Failure } from '../domain/failure.ts';
import type { AccessReviewer, AccessQuestion, Caller } from '../infra/kubernetes/cluster.ts';
import type { ApiContext, ApiEnvironment, Call } from './context.ts';
import { readBody } from './middleware/body.ts';
import { describeRoute } from './openapi.ts';
import { accessQuestion, allNamespaces, type Answer, type Route } from './route.ts';

/** Path below which all calls of the contract live. */
export const basePath = '/oapis/image.theriseunion.io/v1alpha1';

/** What a mounted route needs besides its own handler. */
export interface MountTools {
  readonly access: AccessReviewer;
  readonly now: () => Date;
}

/** Adds a route to the app and to the OpenAPI document: names, then rights, then query and body, then the handler. */
export function mount(app: OpenAPIHono<ApiEnvironment>, route: Route, tools: MountTools): void {
  const { spec } = route;
  describeRoute(app, basePath, spec);
  app.on(spec.method.toUpperCase(), basePath + spec.path.replaceAll(/\{(\w+)\}/g, ':$1'), async (context) => {
    context.set('route', spec.path);
    context.set('kind', spec.kind);
    const caller = context.get('caller');
    if (caller === undefined) throw new Failure('Unauthenticated', { side: 'caller' });
    const params = parseNames(route, context.req.param());
    const require = (question: AccessQuestion) => requireAccess(tools.access, caller, question);
    await require(accessQuestion(spec.access, params));
    return answerOf(
      context,
      await route.handle(await prepareCall(context, route, { params, caller, require, now: tools.now() })),
    );
  });
}

async function prepareCall(
  context: ApiContext,
  { spec }: Route,
  known: Pick<Call<unknown, unknown, unknown>, 'params' | 'caller' | 'require' | 'now'>,
): Promise<Call<unknown, unknown, unknown>> {
  const query = parse('query', spec.query, singleValues(context.req.queries()));
  const body = spec.body === undefined ? undefined : await readBody(context.req.raw, spec.body);
  return {
    ...known,
    query,
    body: spec.body === undefined ? undefined : parse('body', spec.body.schema, body),
    language: context.get('language'),
    requestId: context.get('requestId'),
    signal: context.req.raw.signal,
  };
}

/** Namespace and name of the path. A malformed one is refused before anybody is asked about it. */
function parseNames(route: Route, params: Readonly<Record<string, string>>): Record<string, string> {
  const parsed: Record<string, string> = { ...params };
  const { ns, name } = params;
  if (ns !== undefined && !(ns === allNamespaces && route.spec.allNamespaces === true)) parseNamespace(ns);
  if (name !== undefined) parseObjectName(name);
  return parsed;
}

async function requireAccess(
  access: AccessReviewer,
  caller: Caller,
  question: AccessQuestion,
): Promise<void> {
  if (await access.authorize(caller, question)) return;
  const { verb, resource, subresource, namespace } = question;
  const what = subresource === undefined ? resource : `${resource}/${subresource}`;
  const where = namespace === undefined ? 'at cluster scope' : `in namespace ${namespace}`;
  throw new Failure('AccessDenied', {
    side: 'caller',
    subject: `${printable(caller.username)} cannot ${verb} ${what} ${where}`,
  });
}

/** A parameter given twice has no meaning that both sides could agree on. */
function singleValues(queries: Readonly<Record<string, string[]>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(queries).map(([key, values]) => {
      if (values.length === 1 && values[0] !== undefined) return [key, values[0]];
      throw new Failure('InvalidRequest', {
        side: 'caller',
        detail: `query: ${printable(key)} is given twice`,
      });
    }),
  );
}

/** Parses with a schema. The failure names at most five wrong fields and never repeats a value. */
function parse<S extends z.ZodType>(what: string, schema: S, value: unknown): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issues = result.error.issues.slice(0, 5).map((issue) => {
    const path = issue.path.map(String).join('.');
    return printable(`${path === '' ? what : path}: ${issue.message}`);
  });
  throw new Failure('InvalidRequest', { side: 'caller', detail: issues.join('; ') });
}

function answerOf(context: ApiContext, answer: Answer): Response {
  if (answer.stream !== undefined) {
    return context.body(answer.stream.source, 200, { 'content-type': answer.stream.type });
  }
  if (answer.body === undefined) return context.body(null, 204);
  return context.json(answer.body, answer.status === 204 ? 200 : answer.status);
}
