import type { MiddlewareHandler } from 'hono';
import { Failure } from '../../domain/failure.ts';
import type { AccessReviewer, Caller } from '../../infra/kubernetes/cluster.ts';
import type { ApiContext, ApiEnvironment } from '../context.ts';

/** Longest token that is looked at, in characters. Kubernetes' own are about 1,200. */
const maximumToken = 16_384;
/** Headers by which a proxy would tell who is calling. We are not behind one that we could trust (fault P05). */
const identityHeaders = /^(?:impersonate-|x-remote-(?:user|group|extra-)|x-forwarded-user$)/i;

/** Signs a caller in by bearer token. Throws `Unauthenticated`, `InvalidRequest` or `AuthBackendUnavailable`. */
export function bearerAuthentication(access: AccessReviewer): MiddlewareHandler<ApiEnvironment> {
  return async (context, next) => {
    refuseIdentityHeaders(context.req.raw.headers);
    const token = bearerToken(context);
    const signIn = async (): Promise<Caller> => {
      const caller = await access.authenticate(token);
      if (caller === undefined) throw new Failure('Unauthenticated', { side: 'caller' });
      return caller;
    };
    context.set('caller', await signIn());
    context.set('stillSignedIn', async () => void (await signIn()));
    await next();
  };
}

function refuseIdentityHeaders(headers: Headers): void {
  const found = [...headers.keys()].find((name) => identityHeaders.test(name));
  if (found === undefined) return;
  throw new Failure('InvalidRequest', { side: 'caller', detail: 'impersonation headers are not supported' });
}

/** The one token of a call. Node keeps only the first of two Authorization headers, so the raw ones are counted (P01). */
function bearerToken(context: ApiContext): string {
  const raw = context.env?.incoming?.rawHeaders ?? [];
  const count = raw.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'authorization').length;
  if (count > 1) malformed('more than one Authorization header');
  const header = context.req.header('authorization');
  if (header === undefined || !header.startsWith('Bearer '))
    throw new Failure('Unauthenticated', { side: 'caller' });
  const token = header.slice('Bearer '.length).trim();
  if (token.length > maximumToken) throw new Failure('Unauthenticated', { side: 'caller' });
  // RFC 6750, section 2.1: b64token
  if (!/^[A-Za-z0-9._~+/-]+=*$/.test(token)) malformed('the bearer token is malformed');
  return token;
}

function malformed(detail: string): never {
  throw new Failure('InvalidRequest', { side: 'caller', detail });
}
