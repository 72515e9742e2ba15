import type { Repository } from '../../domain/resources/repository.ts';
import { interruptedStatus } from '../../domain/sync/status.ts';
import type { ReconcileDependencies } from './dependencies.ts';

type Dependencies = Pick<ReconcileDependencies, 'clients' | 'workflows' | 'now'>;

/** Milliseconds for which a status may say that a sync runs before Temporal is asked whether one does. */
const defaultPatienceMs = 60_000;
/** Temporal is asked about so many at most in one sweep. */
const mostAtOnce = 50;

/**
 * Finds the Repositories whose status says that a sync runs although none does. A workflow that was terminated, or whose
 * history was lost, writes nothing any more, and its last word would stand for ever.
 */
export class InterruptedSyncs {
  readonly #deps: Dependencies;
  readonly #patienceMs: number;
  /** When a status was first seen to say so, or when Temporal was last asked, by uid; epoch milliseconds. */
  readonly #since = new Map<string, number>();

  constructor(deps: Dependencies, patienceMs = defaultPatienceMs) {
    this.#deps = deps;
    this.#patienceMs = patienceMs;
  }

  async sweep(repositories: readonly Repository[]): Promise<void> {
    const now = (this.#deps.now ?? Date.now)();
    const syncing = repositories.filter(({ status }) => status?.syncStatus === 'Syncing');
    const uids = new Set(syncing.map(({ metadata }) => metadata.uid ?? ''));
    for (const uid of this.#since.keys()) if (!uids.has(uid)) this.#since.delete(uid);
    const due = syncing.filter((repository) => this.#isDue(repository, now));
    // Those that were not asked about for the longest come first: where very many run, all have their turn.
    const next = due.toSorted((one, other) => this.#sinceOf(one) - this.#sinceOf(other)).slice(0, mostAtOnce);
    for (const { metadata } of next) {
      this.#since.set(metadata.uid ?? '', now);
      await this.#settle({ namespace: metadata.namespace ?? '', name: metadata.name }, now);
    }
  }

  #sinceOf({ metadata }: Repository): number {
    return this.#since.get(metadata.uid ?? '') ?? 0;
  }

  #isDue({ metadata }: Repository, now: number): boolean {
    const uid = metadata.uid ?? '';
    const since = this.#since.get(uid);
    if (since === undefined) this.#since.set(uid, now);
    return since !== undefined && now - since >= this.#patienceMs;
  }

  /** The object is read first: a run that begins after that moves its version, and then nothing is written over it. */
  async #settle(ref: { readonly namespace: string; readonly name: string }, now: number): Promise<void> {
    const { clients, workflows } = this.#deps;
    const client = clients.resource('repositories');
    const before = await client.get(ref);
    if (before?.status?.syncStatus !== 'Syncing') return;
    const run = await workflows.newestSync(ref);
    if (run?.isOpen === true) return;
    const status = interruptedStatus(before.status, run, `${new Date(now).toISOString().slice(0, 19)}Z`);
    await client.applyStatus(ref, before.metadata.uid ?? '', status, before.metadata.resourceVersion);
  }
}
