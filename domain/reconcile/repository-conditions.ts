import { explain, type FailureFacts } from '../sync/failure-facts.ts';
import { isFailureCode, type FailureCode } from '../failure.ts';
import { setCondition, type Condition } from '../resources/meta.ts';
import { mayUse, type RegistrySecret } from '../resources/registry-secret.ts';
import type { Repository } from '../resources/repository.ts';

/** What is true of a Repository beyond itself. */
export interface Surroundings {
  /** The RegistrySecret that it names. Default: there is none. */
  readonly secret?: RegistrySecret;
  /** Why somebody paused its schedule in Temporal. Default: nobody did. */
  readonly heldBy?: string;
}

/** Whether it is synced by itself. */
const scheduledCondition = 'Scheduled';
/** Whether its registry's credential is there and is taken. */
const credentialCondition = 'CredentialReady';

/** Failures of a credential itself; a registry that is away for a while is no matter of each Repository. */
const credentialFailures: ReadonlySet<FailureCode> = new Set([
  'SecretNotFound',
  'InvalidCredential',
  'Unauthorized',
  'RealmNotAllowed',
  'PlaintextCredentialRefused',
]);

/**
 * The conditions with what the surroundings say, or undefined where they say it already. One that was never False is left
 * out: most Repositories have nothing to tell, and ten thousand of them should not be written for that. `now` is RFC 3339
 * UTC.
 */
export function conditionsIn(
  repository: Repository,
  surroundings: Surroundings,
  now: string,
): readonly Condition[] | undefined {
  const before = repository.status?.conditions ?? [];
  const generation = repository.metadata.generation ?? 1;
  const wanted = [
    { type: scheduledCondition, ...scheduled(repository, surroundings) },
    { type: credentialCondition, ...credential(repository, surroundings) },
  ];
  const news = wanted.filter((next) => !isTold(before, next));
  if (news.length === 0) return undefined;
  return news.reduce<readonly Condition[]>(
    (conditions, next) => setCondition(conditions, { ...next, observedGeneration: generation }, now),
    before,
  );
}

type Told = Pick<Condition, 'type' | 'status' | 'reason' | 'message'>;

function isTold(before: readonly Condition[], next: Told): boolean {
  const known = before.find(({ type }) => type === next.type);
  if (known === undefined) return next.status === 'True';
  return known.status === next.status && known.reason === next.reason && known.message === next.message;
}

function scheduled({ spec }: Repository, { heldBy }: Surroundings): Omit<Told, 'type'> {
  if (spec.suspend === true)
    return { status: 'False', reason: 'Suspended', message: 'spec.suspend is true / 已暂停定时同步' };
  if (heldBy !== undefined) {
    const message = `Its schedule was paused in Temporal: ${heldBy.slice(0, 500)} / 定时同步已在 Temporal 中暂停`;
    return { status: 'False', reason: 'PausedInTemporal', message };
  }
  return { status: 'True', reason: 'Active', message: 'Synced by schedule / 定时同步中' };
}

function credential(repository: Repository, { secret }: Surroundings): Omit<Told, 'type'> {
  const failure = credentialFailure(repository, secret);
  return failure === undefined
    ? { status: 'True', reason: 'Succeeded', message: 'The credential can be used / 凭据可用' }
    : { status: 'False', reason: failure.code, message: explain(failure) };
}

function credentialFailure(
  { spec, metadata }: Repository,
  secret: RegistrySecret | undefined,
): FailureFacts | undefined {
  const subject = spec.registryRef.name;
  if (secret === undefined || secret.metadata.deletionTimestamp !== undefined)
    return { code: 'RegistrySecretNotFound', side: 'cluster', subject };
  if (!mayUse(secret, metadata.namespace ?? ''))
    return { code: 'SecretRefRefused', side: 'cluster', subject };
  const verified = secret.status?.conditions?.find(({ type }) => type === 'Verified');
  const code = verified?.status === 'False' ? verified.reason : '';
  return isFailureCode(code) && credentialFailures.has(code) ? { code, subject } : undefined;
}
