import type { ObjectRef } from '../../domain/resources/meta.ts';
import type { ScheduleState } from '../../infra/temporal/gateway.ts';
import type { ReconcileDependencies } from './dependencies.ts';

type Dependencies = Pick<ReconcileDependencies, 'caches' | 'workflows'>;

/** What a Repository's schedule should be. */
export interface WantedSchedule {
  readonly everyMs: number;
  readonly paused: boolean;
}

/**
 * Keeps the schedules in Temporal as the Repositories want them, and remembers how they are, so that Temporal is asked
 * about one only when it is new or wanted otherwise. What a restart forgets is read again with one list.
 */
export class ScheduleKeeper {
  readonly #deps: Dependencies;
  /** By uid. */
  readonly #known = new Map<string, ScheduleState>();

  constructor(deps: Dependencies) {
    this.#deps = deps;
  }

  /** How the schedule is once it is as wanted. */
  async ensure(ref: ObjectRef, uid: string, wanted: WantedSchedule): Promise<ScheduleState> {
    const known = this.#known.get(uid);
    if (known !== undefined && isAs(known, wanted)) return known;
    const now = await this.#deps.workflows.ensureSchedule(ref, wanted);
    this.#known.set(uid, now);
    return now;
  }

  /** A schedule whose Repository is gone. */
  async end(ref: ObjectRef): Promise<void> {
    await this.#deps.workflows.deleteSchedule(ref);
  }

  forget(uid: string): void {
    this.#known.delete(uid);
  }

  /**
   * Reads all schedules. Gives back the Repositories to look at: those that are gone and have one, those whose schedule
   * somebody deleted, paused or changed in Temporal. Before the first one everything is new, and nothing is given back
   * but what is gone.
   */
  async sweep(): Promise<readonly ObjectRef[]> {
    const repositories = this.#deps.caches.cache('repositories');
    const before = new Map(this.#known);
    const present = new Set<string>();
    const look: ObjectRef[] = [];
    for (const { ref, ...state } of await this.#deps.workflows.scheduledRepositories()) {
      const uid = repositories.get(ref)?.metadata.uid;
      if (uid === undefined) look.push(ref);
      else if (this.#note(uid, state)) look.push(ref);
      if (uid !== undefined) present.add(uid);
    }
    for (const [uid, state] of before) {
      // One that was made while the list was read may be missing in it.
      if (!present.has(uid) && this.#known.get(uid) === state) this.#known.delete(uid);
    }
    return look;
  }

  /** Whether the Repository should be looked at because of it. */
  #note(uid: string, state: ScheduleState): boolean {
    const known = this.#known.get(uid);
    this.#known.set(uid, state);
    return known !== undefined && (known.paused !== state.paused || known.everyMs !== state.everyMs);
  }
}

/** A pause that is somebody else's stays, see `ensureSchedule`. */
const isAs = (known: ScheduleState, wanted: WantedSchedule): boolean =>
  known.everyMs === Math.max(1000, wanted.everyMs) &&
  known.paused === (wanted.paused || known.heldBy !== undefined);
