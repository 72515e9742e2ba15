import { repositoryWish } from '../../domain/reconcile/repository.ts';
import type { ObjectRef } from '../../domain/resources/meta.ts';
import type { Repository } from '../../domain/resources/repository.ts';
import type { ReconcileDependencies } from './dependencies.ts';

/** Brings the workflows into line with one Repository: its schedule, a sync that is asked for, a stop that is asked for. */
export class RepositoryReconciler {
  readonly #deps: ReconcileDependencies;
  /** Schedules known to be as wanted, by uid; what a restart forgets is asked of Temporal again. */
  readonly #scheduled = new Map<string, string>();

  constructor(deps: ReconcileDependencies) {
    this.#deps = deps;
  }

  async reconcile(ref: ObjectRef): Promise<void> {
    const found = this.#deps.caches.cache('repositories').get(ref);
    if (found === undefined || found.metadata.deletionTimestamp !== undefined) await this.#end(ref);
    else await this.#serve(ref, found);
  }

  /**
   * Deletes the schedules of Repositories that went while nobody watched, and forgets those that somebody deleted in
   * Temporal, so that the next look at their Repository makes them again.
   */
  async sweep(): Promise<void> {
    const repositories = this.#deps.caches.cache('repositories');
    const before = new Set(this.#scheduled.keys());
    const present = new Set<string>();
    for (const ref of await this.#deps.workflows.scheduledRepositories()) {
      const found = repositories.get(ref);
      if (found === undefined) await this.#end(ref);
      else present.add(found.metadata.uid ?? '');
    }
    for (const uid of before) if (!present.has(uid)) this.#scheduled.delete(uid);
  }

  async #end(ref: ObjectRef): Promise<void> {
    await this.#deps.workflows.deleteSchedule(ref);
    await this.#deps.workflows.cancelSync(ref);
  }

  async #serve(ref: ObjectRef, repository: Repository): Promise<void> {
    const { workflows, clients } = this.#deps;
    const wish = repositoryWish(repository);
    await this.#schedule(ref, repository.metadata.uid ?? '', wish.schedule);
    if (wish.cancel) await workflows.cancelSync(ref);
    if (wish.start !== undefined) await workflows.startSync(ref, wish.start);
    if (Object.keys(wish.handled).length === 0) return;
    await clients.resource('repositories').patch(ref, { metadata: { annotations: wish.handled } });
  }

  async #schedule(
    ref: ObjectRef,
    uid: string,
    wanted: { readonly everyMs: number; readonly paused: boolean },
  ): Promise<void> {
    const known = `${wanted.everyMs} ${wanted.paused}`;
    if (this.#scheduled.get(uid) === known) return;
    await this.#deps.workflows.ensureSchedule(ref, wanted);
    this.#scheduled.set(uid, known);
  }
}
