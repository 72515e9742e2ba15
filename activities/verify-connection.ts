import { asFailure } from '../domain/failure.ts';
import type { ObjectRef } from '../domain/resources/meta.ts';
import { parseRepositoryPath, type RepositoryPath } from '../domain/names/repository-path.ts';
import { factsOf } from '../domain/sync/failure-facts.ts';
import {
  verifiedAnnotations,
  verifiedStatus,
  verifyMessage,
  type VerifyResult,
} from '../domain/sync/verification.ts';
import type { VerifyDependencies } from './dependencies.ts';
import { withHeartbeat } from './heartbeat.ts';

/** Repositories probed for what the credential may do there. */
const probedPaths = 5;

/** Reaches the registry and signs in. A registry that refuses is a result, not an error; writes nothing. */
export function checkConnection(deps: VerifyDependencies, ref: ObjectRef): Promise<VerifyResult> {
  return withHeartbeat(async (signal) => {
    try {
      const access = await deps.credentials.registryAccess(ref, ref.namespace);
      const outcome = await deps.verifier.verify(access, await pathsInUse(deps, ref), signal);
      return { success: true, outcome };
    } catch (error) {
      signal.throwIfAborted();
      const failure = asFailure(error);
      if (failure.code === 'ClusterUnavailable' || failure.code === 'Internal') throw failure;
      return { success: false, failure: factsOf(failure) };
    }
  });
}

/** Writes annotations, status and, where the verdict changed, an Event. Does nothing where the object is gone. */
export async function recordConnection(
  deps: VerifyDependencies,
  ref: ObjectRef,
  result: VerifyResult,
): Promise<void> {
  const secrets = deps.resources.resource('registrysecrets');
  const secret = await secrets.get(ref);
  const uid = secret?.metadata.uid;
  if (secret === undefined || uid === undefined) return;
  const now = deps.clock();
  await secrets.updateStatus(ref, uid, (found) => verifiedStatus(found, result, now));
  await secrets.patch(ref, { metadata: { annotations: verifiedAnnotations(result, Date.parse(now)) } });
  await deps.events.record(
    { kind: 'RegistrySecret', ref, uid },
    {
      type: result.success ? 'Normal' : 'Warning',
      action: 'VerifyConnection',
      message: `${secret.spec.domain}: ${verifyMessage(result)}`,
    },
  );
}

async function pathsInUse(deps: VerifyDependencies, ref: ObjectRef): Promise<readonly RepositoryPath[]> {
  const repositories = await deps.resources.resource('repositories').list(ref.namespace);
  const paths = repositories
    .filter(({ spec }) => spec.registryRef.name === ref.name)
    .filter(({ spec }) => (spec.registryRef.namespace ?? ref.namespace) === ref.namespace)
    .flatMap(({ spec }) => parsed(spec.repository));
  return [...new Set(paths)].slice(0, probedPaths);
}

function parsed(path: string): RepositoryPath[] {
  try {
    return [parseRepositoryPath(path)];
  } catch {
    return [];
  }
}
