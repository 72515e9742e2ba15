import type { OpenAPIHono } from '@hono/zod-openapi';
import { Failure } from '../domain/failure.ts';
import { printable } from '../domain/names/digest.ts';
import type { AccessQuestion, AccessReviewer, Caller } from '../infra/kubernetes/cluster.ts';
import type { AuditedCall, AuditTrail } from './audit-trail.ts';
import { sourceAddress, type ApiContext, type ApiEnvironment, type Call } from './context.ts';
import { describeRoute } from './openapi.ts';
import { parseInput, parseNames } from './parse-call.ts';
import { accessQuestion, type Answer, type Route } from './route.ts';

/** Path below which all calls of the contract live. */
export const basePath = '/oapis/image.theriseunion.io/v1alpha1';

/** What a mounted route needs besides its own handler. */
export interface MountTools {
  readonly access: AccessReviewer;
  readonly trail: AuditTrail;
  readonly now: () => Date;
}

/**
 * Adds a route to the app and to the OpenAPI document. A call goes through names, right, query and body, then the
 * handler, with its intent and outcome in the audit log where it changes something.
 */
export function mount(app: OpenAPIHono<ApiEnvironment>, route: Route, tools: MountTools): void {
  const { spec } = route;
  describeRoute(app, basePath, spec);
  app.on(spec.method.toUpperCase(), patternOf(spec.path), async (context) => {
    context.set('route', spec.path);
    context.set('kind', spec.kind);
    const caller = context.get('caller');
    if (caller === undefined) throw new Failure('Unauthenticated', { side: 'caller' });
    const params = parseNames(route, context.req.param());
    const require = (question: AccessQuestion) => requireAccess(tools, context, caller, question);
    const allows = (question: AccessQuestion) => tools.access.authorize(caller, question);
    const question = accessQuestion(spec.access, params);
    await require(question);
    const known = { params, caller, require, allows, now: tools.now(), ...requestOf(context) };
    const call = { ...known, ...(await parseInput(context, route)) };
    const work = () => route.handle(call);
    const answer = changes(route)
      ? await tools.trail.around(audited(context, caller, named(question, call)), work)
      : await work();
    return answerOf(context, answer);
  });
}

/** Answers a known path's other methods with 405 and the methods that it takes. Comes after all routes are mounted. */
export function refuseOtherMethods(app: OpenAPIHono<ApiEnvironment>, routes: readonly Route[]): void {
  const methods = Map.groupBy(routes, ({ spec }) => patternOf(spec.path));
  for (const [path, own] of methods) {
    const allowed = own.map(({ spec }) => spec.method.toUpperCase()).join(', ');
    app.all(path, (context) => {
      context.set('allow', allowed);
      throw new Failure('MethodNotAllowed', { side: 'caller', detail: `it takes ${allowed}` });
    });
  }
}

const patternOf = (path: string): string => basePath + path.replaceAll(/\{(\w+)\}/g, ':$1');

function requestOf(
  context: ApiContext,
): Pick<Call<unknown, unknown, unknown>, 'language' | 'requestId' | 'signal' | 'range' | 'stillSignedIn'> {
  return {
    language: context.get('language'),
    requestId: context.get('requestId'),
    stillSignedIn: context.get('stillSignedIn'),
    signal: context.req.raw.signal,
    range: context.req.header('range'),
  };
}

/** Whether a route changes something or reaches out, so that its calls are audited. */
function changes({ spec }: Route): boolean {
  return spec.method !== 'get';
}

function audited(context: ApiContext, caller: Caller, question: AccessQuestion): AuditedCall {
  return {
    id: context.get('requestId'),
    caller,
    question,
    source: sourceAddress(context),
    userAgent: context.req.header('user-agent') ?? '',
  };
}

/** What a path is about where it names a site and no object of its own. */
const siteOf = (params: unknown): unknown =>
  typeof params === 'object' && params !== null && 'site' in params ? params.site : undefined;

/** A create has its object's name in the body. */
function named(question: AccessQuestion, call: Call<unknown, unknown, unknown>): AccessQuestion {
  const { body } = call;
  const metadata =
    typeof body === 'object' && body !== null && 'metadata' in body ? body.metadata : undefined;
  const own =
    typeof metadata === 'object' && metadata !== null && 'name' in metadata ? metadata.name : undefined;
  const name = own ?? siteOf(call.params);
  return question.name === undefined && typeof name === 'string'
    ? { ...question, name: printable(name) }
    : question;
}

async function requireAccess(
  tools: MountTools,
  context: ApiContext,
  caller: Caller,
  question: AccessQuestion,
): Promise<void> {
  if (await tools.access.authorize(caller, question)) return;
  await tools.trail.denied(audited(context, caller, question));
  const { verb, resource, subresource, namespace } = question;
  const what = subresource === undefined ? resource : `${resource}/${subresource}`;
  const where = namespace === undefined ? 'at cluster scope' : `in namespace ${namespace}`;
  throw new Failure('AccessDenied', {
    side: 'caller',
    subject: `${printable(caller.username)} cannot ${verb} ${what} ${where}`,
  });
}

function answerOf(context: ApiContext, answer: Answer): Response {
  if (answer.stream !== undefined) {
    const { type, source, headers, partial } = answer.stream;
    return context.body(source, partial === true ? 206 : 200, { ...headers, 'content-type': type });
  }
  const json = answer.json ?? (answer.body === undefined ? undefined : JSON.stringify(answer.body));
  if (json === undefined) return context.body(null, 204);
  const status = answer.status === 204 ? 200 : answer.status;
  return context.body(json, status, { 'content-type': 'application/json' });
}
