import type { Logger } from 'pino';
import { asFailure, Failure } from '../../domain/failure.ts';
import { previousVersion } from '../../domain/lifecycle/versions.ts';
import {
  cleanupWish,
  rollbackAnnotation,
  rollbackWish,
  scheduledStatus,
} from '../../domain/reconcile/lifecycle.ts';
import type { ObjectRef } from '../../domain/resources/meta.ts';
import type { Repository } from '../../domain/resources/repository.ts';
import { explain } from '../../domain/sync/failure-facts.ts';
import type { EventRecorder, ResourceCache, ResourceClients } from '../../infra/kubernetes/cluster.ts';
import type { Documents } from '../../infra/kubernetes/documents.ts';
import type { LifecycleGateway } from '../../infra/temporal/lifecycle-gateway.ts';
import type { LifecycleSchedules } from '../../infra/temporal/lifecycle-schedules.ts';
import { FirstMeasure } from './first-measure.ts';
import { KeyedQueue } from './keyed-queue.ts';
import { takeServed } from './served-annotations.ts';

/** What reconciling of policies and rollbacks is handed. */
export interface LifecycleReconcileDependencies {
  readonly clients: ResourceClients;
  readonly caches: {
    cache(plural: 'repositories'): ResourceCache<'repositories'>;
    cache(plural: 'imagecleanuppolicies'): ResourceCache<'imagecleanuppolicies'>;
    cache(plural: 'edgesites'): ResourceCache<'edgesites'>;
  };
  readonly documents: Pick<Documents, 'read'>;
  readonly events: EventRecorder;
  readonly gateway: LifecycleGateway;
  readonly schedules: LifecycleSchedules;
  readonly log: Logger;
  /** Milliseconds between two looks at everything, besides every change. Default: 60 s. */
  readonly sweepMs?: number;
  /** Epoch milliseconds. Default: the system's clock. */
  readonly now?: () => number;
}

/** Follows ImageCleanupPolicies and the `rollback-to` annotation of Repositories. Returns the function that stops it. */
export function startLifecycleReconcilers(deps: LifecycleReconcileDependencies): () => Promise<void> {
  const onFailure = (key: string, error: unknown): void => {
    const { code, message } = asFailure(error);
    deps.log.warn({ key, code }, `Reconciling failed, will be tried again: ${message}`);
  };
  const policies = deps.caches.cache('imagecleanuppolicies');
  const repositories = deps.caches.cache('repositories');
  const policyQueue = new KeyedQueue((key) => reconcilePolicy(deps, parseKey(key)), { onFailure });
  const rollbackQueue = new KeyedQueue((key) => reconcileRollback(deps, parseKey(key)), { onFailure });
  policies.onChange(({ metadata }) => policyQueue.add(keyOf(metadata)));
  repositories.onChange((repository) => {
    if (rollbackWish(repository) !== undefined) rollbackQueue.add(keyOf(repository.metadata));
  });
  const measure = new FirstMeasure({ ...deps, now: deps.now ?? Date.now });
  const sweep = async (): Promise<void> => {
    await deps.schedules.ensureChores();
    for (const { metadata } of policies.list()) policyQueue.add(keyOf(metadata));
    for (const ref of await deps.schedules.scheduledPolicies())
      if (policies.get(ref) === undefined) policyQueue.add(keyOf(ref));
    await measure.look();
  };
  const look = (): void => void sweep().catch((error: unknown) => onFailure('schedules', error));
  look();
  const timer = setInterval(look, deps.sweepMs ?? 60_000);
  return async () => {
    clearInterval(timer);
    await Promise.all([policyQueue.stop(), rollbackQueue.stop()]);
  };
}

async function reconcilePolicy(deps: LifecycleReconcileDependencies, ref: ObjectRef): Promise<void> {
  const client = deps.clients.resource('imagecleanuppolicies');
  // What is watched may be behind: a policy that was just made is not taken for a deleted one.
  const policy = deps.caches.cache('imagecleanuppolicies').get(ref) ?? (await client.get(ref));
  if (policy === undefined || policy.metadata.deletionTimestamp !== undefined) {
    await deps.schedules.deleteCleanup(ref);
    await deps.gateway.cancelCleanup(ref);
    return;
  }
  const wish = cleanupWish(policy);
  if (wish.cron === undefined) await deps.schedules.deleteCleanup(ref);
  else await deps.schedules.ensureCleanup(ref, wish.cron);
  const { uid = '' } = policy.metadata;
  const now = `${new Date().toISOString().slice(0, 19)}Z`;
  await client.updateStatus(ref, uid, (found) => scheduledStatus(found, wish.problem, now));
  const complaints = wish.problem === undefined ? [] : [explain(wish.problem)];
  try {
    if (wish.run) await deps.gateway.startCleanup(ref, 'manual');
    if (wish.approve !== undefined)
      await deps.gateway.approvePlan(ref, { hash: wish.approve, by: 'annotation' });
  } catch (error) {
    const failure = asFailure(error);
    if (failure.retryable) throw error;
    complaints.push(failure.message);
  }
  for (const message of complaints)
    await complain(deps, 'ImageCleanupPolicy', ref, policy.metadata.uid, message);
  if (Object.keys(wish.handled).length === 0) return;
  await takeServed(client, ref, policy, Object.keys(wish.handled));
}

/**
 * What is watched only says that there may be a wish; the object is read, since another replica may have served it.
 * `previous` is written down as the digest that it means before anything is started: served once more after a crash it
 * would mean the version that was just left. A wish waits for a rollback that runs, as that may be another one.
 */
async function reconcileRollback(deps: LifecycleReconcileDependencies, ref: ObjectRef): Promise<void> {
  const client = deps.clients.resource('repositories');
  const { uid = '' } = (await client.get(ref))?.metadata ?? {};
  const repository = await client.patchAsRead(ref, uid, previousAsDigest);
  const wish = repository && rollbackWish(repository);
  if (repository === undefined || wish === undefined) return;
  const run = await deps.gateway.startRollback(ref, wish.request);
  if (run.alreadyRunning) throw new Failure('AlreadyRunning', { side: 'caller', subject: run.workflowId });
  await takeServed(client, ref, repository, Object.keys(wish.handled));
}

/** Where there is no earlier version the rollback itself says so. */
function previousAsDigest(repository: Repository): { readonly metadata: object } | undefined {
  const request = rollbackWish(repository)?.request;
  if (request === undefined || request.digest !== undefined) return undefined;
  const tag = request.tag ?? repository.spec.tag;
  const digest = previousVersion(repository.status?.versions ?? [], tag)?.digest;
  return digest === undefined ? undefined : { metadata: { annotations: { [rollbackAnnotation]: digest } } };
}

async function complain(
  deps: LifecycleReconcileDependencies,
  kind: string,
  ref: ObjectRef,
  uid: string | undefined,
  message: string,
): Promise<void> {
  await deps.events.record({ kind, ref, uid: uid ?? '' }, { type: 'Warning', action: 'Cleanup', message });
}

const keyOf = ({ namespace, name }: { readonly namespace?: string; readonly name: string }): string =>
  `${namespace ?? ''}/${name}`;

function parseKey(key: string): ObjectRef {
  const slash = key.indexOf('/');
  return { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}
