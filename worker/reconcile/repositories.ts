import { registryOf } from '../../domain/api/registry-use.ts';
import { asFailure } from '../../domain/failure.ts';
import { conditionsIn } from '../../domain/reconcile/repository-conditions.ts';
import { asksForAction, repositoryWish } from '../../domain/reconcile/repository.ts';
import type { ObjectRef } from '../../domain/resources/meta.ts';
import type { Repository, SyncTrigger } from '../../domain/resources/repository.ts';
import type { ReconcileDependencies } from './dependencies.ts';
import { ScheduleKeeper } from './schedules.ts';

/**
 * Brings the workflows into line with one Repository: its schedule, a sync that is asked for, a stop that is asked for.
 *
 * What is watched may be behind the cluster, by half a minute after an API server came back, and another replica may have
 * acted meanwhile. So the watched object only says that there may be something to do; before anything is started or
 * stopped the object is read, and what it says then counts. That keeps a request from being served twice.
 */
export class RepositoryReconciler {
  readonly #deps: ReconcileDependencies;
  readonly #schedules: ScheduleKeeper;
  /** What the run of a Repository was told last that is wanted by now. */
  readonly #told = new Map<string, string>();

  constructor(deps: ReconcileDependencies) {
    this.#deps = deps;
    this.#schedules = new ScheduleKeeper(deps);
  }

  async reconcile(ref: ObjectRef): Promise<void> {
    const seen = this.#deps.caches.cache('repositories').get(ref);
    if (isGone(seen)) {
      this.#told.delete(keyOf(ref));
      if (isGone(await this.#read(ref))) await this.#end(ref);
      return;
    }
    await this.#serve(ref, seen);
  }

  /** The Repositories whose schedules are not as they were left, deleted ones included. */
  sweep(): Promise<readonly ObjectRef[]> {
    return this.#schedules.sweep();
  }

  /**
   * A Repository of the same name may be made at any moment, and another replica may serve it already: only the run that
   * was there before the name was seen to be free is stopped, and its schedule is made again.
   */
  async #end(ref: ObjectRef): Promise<void> {
    const { workflows } = this.#deps;
    const run = await workflows.newestSync(ref);
    const before = await this.#read(ref);
    if (!isGone(before)) return;
    await this.#schedules.end(ref);
    if (run?.isOpen === true) await workflows.cancelSync(ref, run.runId);
    const after = await this.#read(ref);
    if (isGone(after)) return;
    this.#schedules.forget(after.metadata.uid ?? '');
    await this.#serve(ref, after);
  }

  async #serve(ref: ObjectRef, seen: Repository): Promise<void> {
    const wanted = this.#wish(seen).schedule;
    const { heldBy } = await this.#schedules.ensure(ref, seen.metadata.uid ?? '', wanted);
    await this.#tell(ref, seen, heldBy);
    await this.#tellRun(ref, this.#wish(seen).edited);
    if (!asksForAction(this.#wish(seen))) return;
    const repository = await this.#read(ref);
    if (isGone(repository)) return;
    const { workflows, clients } = this.#deps;
    const wish = this.#wish(repository);
    if (wish.cancel) await workflows.cancelSync(ref);
    if (wish.start !== undefined) await this.#start(ref, wish.start, wish.request);
    if (Object.keys(wish.handled).length === 0) return;
    await clients.resource('repositories').patch(ref, { metadata: { annotations: wish.handled } });
  }

  /** Writing it into the audit log takes a moment, in which another replica may serve the same wish, or it may end. */
  async #start(ref: ObjectRef, start: SyncTrigger, request: string | undefined): Promise<void> {
    const isWanted = async (): Promise<boolean> => {
      const now = await this.#read(ref);
      if (isGone(now)) return false;
      const wish = this.#wish(now);
      return wish.start === start && wish.request === request;
    };
    try {
      await this.#deps.workflows.startSync(ref, start, request, isWanted);
    } catch (error) {
      if (asFailure(error).code !== 'Superseded') throw error;
    }
  }

  /**
   * Each write of its progress shows the edit again, and an edit may change nothing that the run is about: so the run hears
   * once of what is wanted, and looks for itself.
   */
  async #tellRun(ref: ObjectRef, edited: string | undefined): Promise<void> {
    if (edited === undefined || this.#told.get(keyOf(ref)) === edited) return;
    if (await this.#deps.workflows.tellEdited(ref)) this.#told.set(keyOf(ref), edited);
  }

  /** Says in the conditions what the Repository itself cannot know. */
  async #tell(ref: ObjectRef, seen: Repository, heldBy: string | undefined): Promise<void> {
    const secret = this.#deps.caches.cache('registrysecrets').get(registryOf(seen));
    const surroundings = {
      ...(secret === undefined ? {} : { secret }),
      ...(heldBy === undefined ? {} : { heldBy }),
    };
    const now = `${new Date((this.#deps.now ?? Date.now)()).toISOString().slice(0, 19)}Z`;
    if (conditionsIn(seen, surroundings, now) === undefined) return;
    await this.#deps.clients
      .resource('repositories')
      .updateStatus(ref, seen.metadata.uid ?? '', (repository) => {
        const conditions = conditionsIn(repository, surroundings, now);
        return conditions === undefined ? undefined : { ...repository.status, conditions };
      });
  }

  #wish(repository: Repository) {
    return repositoryWish(repository, this.#deps.caches.cache('edgesites').list());
  }

  #read(ref: ObjectRef): Promise<Repository | undefined> {
    return this.#deps.clients.resource('repositories').get(ref);
  }
}

const keyOf = ({ namespace, name }: ObjectRef): string => `${namespace}/${name}`;

const isGone = (repository: Repository | undefined): repository is undefined =>
  repository === undefined || repository.metadata.deletionTimestamp !== undefined;
