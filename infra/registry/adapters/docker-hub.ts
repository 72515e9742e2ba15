import { Failure } from '../../../domain/failure.ts';
import { manifestAccept } from '../../../domain/image/media-types.ts';
import { readRateLimit, type RateLimit } from '../../../domain/registry/rate-limit.ts';
import type { TokenGrant } from '../../../domain/registry/token-claims.ts';
import type { VerifyOutcome } from '../../copy/engine.ts';
import type { Scope } from '../authenticator.ts';
import { verifyOci } from './oci.ts';
import type { ProviderAdapter, VerifyContext } from './provider.ts';

/** Docker keeps this repository for asking about the limit; a HEAD of it counts as no pull. */
const preview = 'ratelimitpreview/test';

/** Docker Hub, or a mirror of it: also tells how many pulls are left, before any pull. */
export const dockerHubAdapter: ProviderAdapter = {
  name: 'dockerhub',
  async verify(context) {
    const outcome = await verifyOci(context);
    const pullQuota = await pullQuotaOf(context);
    return { ...outcome, ...(pullQuota === undefined ? {} : { pullQuota }) };
  },
};

/** From the answer's headers; the limit from the token where they do not tell it. Undefined on plans without limit. */
export async function pullQuotaOf(context: VerifyContext): Promise<VerifyOutcome['pullQuota']> {
  const scope: Scope = { path: preview, actions: ['pull'] };
  try {
    const answer = await context.session.call({
      method: 'HEAD',
      url: `/v2/${preview}/manifests/latest`,
      scope,
      headers: { accept: manifestAccept },
      about: { side: 'source', subject: context.access.domain },
      accept: [404],
      ...(context.signal === undefined ? {} : { signal: context.signal }),
    });
    const claims = await context.session.claims(scope);
    return combine(
      readRateLimit((name) => answer.header(name)),
      claims?.grants.find((grant) => grant.pullQuota)?.pullQuota,
    );
  } catch (error) {
    // The quota is an extra: the credential was verified already.
    if (error instanceof Failure && error.code !== 'Cancelled') return undefined;
    throw error;
  }
}

function combine(told: RateLimit | undefined, claimed: TokenGrant['pullQuota']): VerifyOutcome['pullQuota'] {
  const limit = told?.limit ?? claimed?.limit;
  const windowSeconds = told?.windowSeconds ?? claimed?.windowSeconds;
  if (told === undefined || limit === undefined || windowSeconds === undefined) return undefined;
  return { remaining: told.remaining, limit, windowSeconds };
}
