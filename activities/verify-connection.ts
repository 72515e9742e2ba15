import { registryOf } from '../domain/api/registry-use.ts';
import { asFailure } from '../domain/failure.ts';
import type { ObjectRef } from '../domain/resources/meta.ts';
import { parseRepositoryPath, type RepositoryPath } from '../domain/names/repository-path.ts';
import { factsOf } from '../domain/sync/failure-facts.ts';
import {
  verifiedAnnotations,
  verifiedStatus,
  verifyMessage,
  type ConnectionTurn,
  type VerifyResult,
} from '../domain/sync/verification.ts';
import type { VerifyDependencies } from './dependencies.ts';
import { withHeartbeat } from './heartbeat.ts';

/** Repositories probed for what the credential may do there. */
const probedPaths = 10;

/** Reaches the registry and signs in. A registry that refuses is a result, not an error; writes nothing. */
export function checkConnection(deps: VerifyDependencies, ref: ObjectRef): Promise<VerifyResult> {
  return withHeartbeat(async (signal) => {
    try {
      const access = await deps.credentials.registryAccess(ref, ref.namespace);
      const outcome = await deps.verifier.verify(access, pathsInUse(deps, ref), signal);
      return { success: true, outcome };
    } catch (error) {
      signal.throwIfAborted();
      const failure = asFailure(error);
      if (failure.code === 'ClusterUnavailable' || failure.code === 'Internal') throw failure;
      return { success: false, failure: factsOf(failure) };
    }
  });
}

/**
 * Writes annotations and status and, where the connection turned, one Event, one count and one audit record. Does nothing where the object
 * is gone.
 */
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
  let turn: ConnectionTurn | undefined;
  await secrets.updateStatus(ref, uid, (found) => {
    const next = verifiedStatus(found, result, now);
    turn = next.turn;
    return next.status;
  });
  await secrets.patch(ref, { metadata: { annotations: verifiedAnnotations(result, Date.parse(now)) } });
  if (turn === undefined) return;
  deps.connections.count(ref.name, turn);
  await audited(deps, ref, result);
  await deps.events.record(
    { kind: 'RegistrySecret', ref, uid },
    {
      type: turn === 'connected' ? 'Normal' : 'Warning',
      action: 'VerifyConnection',
      message: `${secret.spec.domain}: ${verifyMessage(result)}`,
    },
  );
}

/** A connection is tested every two minutes; only that it turned is worth a record. */
async function audited({ audit }: VerifyDependencies, ref: ObjectRef, result: VerifyResult): Promise<void> {
  const fact = { verb: 'verify', object: { resource: 'registrysecrets', ...ref } };
  await audit.begin(fact);
  await audit.end(fact, result.success ? {} : { reason: result.failure.code });
}

/** Of the Repositories of all namespaces that use it, as they are watched: asking for lists would cost more than the test. */
function pathsInUse(deps: VerifyDependencies, ref: ObjectRef): readonly RepositoryPath[] {
  const paths = deps
    .repositories()
    .filter((repository) => isSame(registryOf(repository), ref))
    .flatMap(({ spec }) => parsed(spec.repository));
  return [...new Set(paths)].sort((a, b) => (a < b ? -1 : 1)).slice(0, probedPaths);
}

const isSame = (a: ObjectRef, b: ObjectRef): boolean => a.namespace === b.namespace && a.name === b.name;

function parsed(path: string): RepositoryPath[] {
  try {
    return [parseRepositoryPath(path)];
  } catch {
    return [];
  }
}
