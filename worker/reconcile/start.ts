import { usersOf } from '../../domain/api/registry-use.ts';
import { asFailure } from '../../domain/failure.ts';
import type { ObjectRef } from '../../domain/resources/meta.ts';
import type { ReconcileDependencies } from './dependencies.ts';
import { InterruptedSyncs } from './interrupted-syncs.ts';
import { KeyedQueue } from './keyed-queue.ts';
import { repeating } from './repeating.ts';
import { RegistrySecretReconciler } from './registry-secrets.ts';
import { RepositoryReconciler } from './repositories.ts';
import { VerdictChanges } from './verdict-changes.ts';

const defaultSweepMs = 30_000;

/**
 * Starts reconciling from caches that are complete. Two processes may do so at once: every start joins what runs, and
 * every write is the same write. Returns the function that stops it and resolves when nothing runs any more.
 */
export function startReconcilers(deps: ReconcileDependencies): () => Promise<void> {
  const repositories = new RepositoryReconciler(deps);
  const secrets = new RegistrySecretReconciler(deps);
  const interrupted = new InterruptedSyncs(deps);
  const onFailure = (key: string, error: unknown): void => {
    const { code, message } = asFailure(error);
    deps.log.warn({ key, code }, `Reconciling failed, will be tried again: ${message}`);
  };
  const repositoryQueue = new KeyedQueue((key) => repositories.reconcile(parseKey(key)), { onFailure });
  const secretQueue = new KeyedQueue((key) => secrets.reconcile(parseKey(key)), { onFailure });
  deps.queues?.watch('repositories', () => repositoryQueue.depth);
  deps.queues?.watch('registrysecrets', () => secretQueue.depth);
  const addRepositories = (): void => {
    for (const { metadata } of deps.caches.cache('repositories').list()) repositoryQueue.add(keyOf(metadata));
  };
  const sweepMs = deps.sweepMs ?? defaultSweepMs;
  const schedules = repeating(sweepMs, async () => {
    const from = performance.now();
    const look = await repositories.sweep().catch((error: unknown) => {
      onFailure('schedules', error);
      return [];
    });
    for (const ref of look) repositoryQueue.add(keyOf(ref));
    // Reading them all is dear where there are many: it takes a twentieth of Temporal's time at most.
    return Math.max(sweepMs, 20 * (performance.now() - from));
  });
  // What is scheduled already is known first, so that Temporal is not asked about each one.
  void schedules.first.then(() => {
    deps.caches.cache('repositories').onChange(({ metadata }) => repositoryQueue.add(keyOf(metadata)));
    // A site concerns whatever may go to it; most Repositories will find that it does not concern them.
    deps.caches.cache('edgesites').onChange(addRepositories);
  });
  const verdicts = new VerdictChanges();
  deps.caches.cache('registrysecrets').onChange((secret, gone) => {
    if (gone) secrets.gone(secret);
    secretQueue.add(keyOf(secret.metadata));
    if (!verdicts.isNews(secret, gone)) return;
    const ref = parseKey(keyOf(secret.metadata));
    for (const key of usersOf(ref, deps.caches.cache('repositories').list())) repositoryQueue.add(key);
  });
  deps.secrets?.onChange(({ owner }, gone) => {
    if (!gone) return;
    secrets.credentialGone(owner);
    secretQueue.add(keyOf(owner));
  });
  const sweep = repeating(sweepMs, async () => {
    for (const { metadata } of deps.caches.cache('registrysecrets').list()) secretQueue.add(keyOf(metadata));
    await schedules.first;
    addRepositories();
    const attempts = [interrupted.sweep(deps.caches.cache('repositories').list()), ...secrets.sweep()];
    for (const end of await Promise.allSettled(attempts))
      if (end.status === 'rejected') onFailure('sweep', end.reason);
    return sweepMs;
  });
  return async () => {
    schedules.stop();
    sweep.stop();
    await Promise.all([repositoryQueue.stop(), secretQueue.stop()]);
  };
}

const keyOf = ({ namespace, name }: { readonly namespace?: string; readonly name: string }): string =>
  `${namespace ?? ''}/${name}`;

function parseKey(key: string): ObjectRef {
  const slash = key.indexOf('/');
  return { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}
