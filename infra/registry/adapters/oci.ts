import { Failure } from '../../../domain/failure.ts';
import { isJsonObject, parseStrictJson } from '../../../domain/image/strict-json.ts';
import type { RepositoryPath } from '../../../domain/names/repository-path.ts';
import type { RegistryCapability } from '../../../domain/resources/registry-secret.ts';
import type { VerifyOutcome } from '../../copy/engine.ts';
import type { HttpAnswer } from '../http-answer.ts';
import type { Call } from '../session.ts';
import type { ProviderAdapter, VerifyContext } from './provider.ts';

/** Repositories that are looked at in one verification. */
const maxPaths = 20;

/** Any registry of the OCI distribution spec. The other adapters add to what this one does. */
export const ociAdapter: ProviderAdapter = { name: 'other', verify: verifyOci };

/** Signs in at the base endpoint, then looks at what may be done where. */
export async function verifyOci(context: VerifyContext): Promise<VerifyOutcome> {
  await signIn(context);
  const probes = context.paths.slice(0, maxPaths).map((path) => capabilityOf(context, path));
  const [wide, ...narrow] = await Promise.all([registryWide(context), ...probes]);
  return { capabilities: [...(wide === undefined ? [] : [wide]), ...narrow] };
}

async function signIn(context: VerifyContext): Promise<void> {
  const answer = await call(context, { method: 'GET', url: '/v2/', accept: [404] });
  if (!answer.ok || !looksLikeRegistry(answer)) {
    throw new Failure('NotARegistry', {
      subject: context.access.domain,
      detail: `HTTP ${answer.status} at /v2/`,
    });
  }
}

/** The header is optional by now, and the body may be `{}` or nothing: a web page is what has to be told apart. */
function looksLikeRegistry(answer: HttpAnswer): boolean {
  if (answer.header('docker-distribution-api-version') !== undefined || answer.body.byteLength === 0)
    return true;
  try {
    parseStrictJson(answer.body, { code: 'NotARegistry', maxBytes: 65_536 });
    return true;
  } catch {
    return answer.header('content-type')?.startsWith('text/plain') ?? false;
  }
}

/** Whether the credential may list the registry's repositories; most public registries let nobody. */
async function registryWide(context: VerifyContext): Promise<RegistryCapability | undefined> {
  try {
    const answer = await call(context, {
      method: 'GET',
      url: '/v2/_catalog?n=1',
      scope: { type: 'registry', path: 'catalog', actions: ['*'] },
      accept: [400, 404, 405],
    });
    const body = answer.ok ? parseStrictJson(answer.body, { code: 'UnexpectedResponse' }) : undefined;
    return isJsonObject(body) && 'repositories' in body ? { scope: '*', actions: ['list'] } : undefined;
  } catch (error) {
    return optional(error);
  }
}

/** From the token where it tells what it grants, else by trying: a read, and an upload that is cancelled at once. */
async function capabilityOf(context: VerifyContext, path: RepositoryPath): Promise<RegistryCapability> {
  const scope = { path, actions: ['pull', 'push', 'delete'] } as const;
  const claims = await context.session.claims(scope);
  if (claims !== undefined) {
    const granted = new Set(
      claims.grants.filter((grant) => grant.name === path).flatMap((grant) => grant.actions),
    );
    return {
      scope: path,
      actions: scope.actions.filter((action) => granted.has(action) || granted.has('*')),
    };
  }
  const [pull, push] = await Promise.all([mayPull(context, path), mayPush(context, path)]);
  return {
    scope: path,
    actions: [...(pull ? (['pull'] as const) : []), ...(push ? (['push'] as const) : [])],
  };
}

async function mayPull(context: VerifyContext, path: RepositoryPath): Promise<boolean> {
  const found = await tryCall(context, {
    method: 'GET',
    url: `/v2/${path}/tags/list?n=1`,
    scope: { path, actions: ['pull'] },
    accept: [404],
  });
  return found !== undefined;
}

async function mayPush(context: VerifyContext, path: RepositoryPath): Promise<boolean> {
  const scope = { path, actions: ['pull', 'push'] } as const;
  const url = new URL(`/v2/${path}/blobs/uploads/`, context.session.origins.registry);
  const started = await tryCall(context, { method: 'POST', url, scope, headers: { 'content-length': '0' } });
  if (started === undefined) return false;
  const location = started.header('location');
  const upload =
    location !== undefined && URL.canParse(location, url.href) ? new URL(location, url) : undefined;
  if (upload?.origin === url.origin) {
    await tryCall(context, { method: 'DELETE', url: upload, scope, accept: [400, 404, 405] });
  }
  return true;
}

async function tryCall(context: VerifyContext, what: Omit<Call, 'about'>): Promise<HttpAnswer | undefined> {
  try {
    return await call(context, what);
  } catch (error) {
    return optional(error);
  }
}

/** A refusal answers the question; an outage does not. */
function optional(error: unknown): undefined {
  if (error instanceof Failure && !error.retryable && error.code !== 'Cancelled') return undefined;
  throw error;
}

function call(context: VerifyContext, what: Omit<Call, 'about'>): Promise<HttpAnswer> {
  return context.session.call({
    ...what,
    about: { side: 'source', subject: context.access.domain },
    ...(context.signal === undefined ? {} : { signal: context.signal }),
  });
}
