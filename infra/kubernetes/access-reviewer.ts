import { AuthenticationV1Api, AuthorizationV1Api, type KubeConfig } from '@kubernetes/client-node';
import { Failure } from '../../domain/failure.ts';
import { apiGroup } from '../../domain/resources/meta.ts';
import type { AccessQuestion, AccessReviewer, Caller } from './cluster.ts';

/** Audience that a caller's token must be made for. */
export const apiAudience = 'edge-image-api';

/** Longest wait for one review, in milliseconds. */
const reviewTimeoutMs = 5000;

/**
 * Asks the cluster who is calling (TokenReview) and what they may do (SubjectAccessReview). A token counts only where
 * the answer names our audience: an empty list comes from an authenticator that does not know audiences, and its tokens
 * may have been made for anybody. Throws `AuthBackendUnavailable` where there is no answer: never an open door.
 */
export function createAccessReviewer(config: KubeConfig): AccessReviewer {
  const authentication = config.makeApiClient(AuthenticationV1Api);
  const authorization = config.makeApiClient(AuthorizationV1Api);
  return {
    authenticate: async (token) => {
      const body = { spec: { token, audiences: [apiAudience] } };
      const { status } = await review(authentication.createTokenReview({ body }));
      const audiences = status?.audiences ?? [];
      if (status?.authenticated !== true || !audiences.includes(apiAudience)) return undefined;
      const { username, uid, groups, extra } = status.user ?? {};
      return username === undefined
        ? undefined
        : { username, uid: uid ?? '', groups: groups ?? [], extra: extra ?? {} };
    },
    authorize: async (caller, question) => {
      const body = { spec: subjectAccess(caller, question) };
      const { status } = await review(authorization.createSubjectAccessReview({ body }));
      return status?.allowed === true && status.denied !== true;
    },
  };
}

function subjectAccess(caller: Caller, question: AccessQuestion): object {
  return {
    user: caller.username,
    uid: caller.uid,
    groups: [...caller.groups],
    extra: caller.extra,
    resourceAttributes: { group: apiGroup, ...question },
  };
}

async function review<T>(answer: Promise<T>): Promise<T> {
  const late = AbortSignal.timeout(reviewTimeoutMs);
  const timeout = new Promise<never>((_resolve, reject) => {
    late.addEventListener('abort', () => reject(new Failure('Timeout', { side: 'cluster' })), { once: true });
  });
  try {
    return await Promise.race([answer, timeout]);
  } catch (cause) {
    throw new Failure('AuthBackendUnavailable', { side: 'cluster', cause });
  }
}
